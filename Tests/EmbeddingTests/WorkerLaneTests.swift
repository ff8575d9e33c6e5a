import Synchronization
import Testing

@testable import Embedding

@Suite("Worker lanes")
struct WorkerLaneTests {
    /// A gate that a computation waits at.
    private final class Gate: Sendable {
        private let opened = Mutex(false)
        let (begun, begin) = AsyncStream.makeStream(of: Void.self)

        func pass() {
            self.begin.yield()
            while !self.opened.withLock({ $0 }) {}
        }
        func open() { self.opened.withLock { $0 = true } }
    }

    @Test("Computations begin in order, and each answers its own caller")
    func order() async throws {
        let lane = WorkerLane(name: "test", threads: 2, niceness: 5, limit: 100)
        let results = try await withThrowingTaskGroup(of: (Int, Int).self) { group in
            for number in 0..<50 { group.addTask { (number, try await lane.run { number * number }) } }
            return try await group.reduce(into: [Int: Int]()) { $0[$1.0] = $1.1 }
        }
        #expect(results == Dictionary(uniqueKeysWithValues: (0..<50).map { ($0, $0 * $0) }))
    }

    @Test("Beyond the limit a computation is refused, and one that waits can be cancelled")
    func limit() async throws {
        let lane = WorkerLane(name: "test", threads: 1, niceness: 0, limit: 1)
        let gate = Gate()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await lane.run { gate.pass() } }
            var begun = gate.begun.makeAsyncIterator()
            await begun.next()
            // One runs; of two more, one waits and one is refused.
            let (refused, refuse) = AsyncStream.makeStream(of: EmbeddingError.Code.self)
            let waiting = Task {
                await withTaskGroup(of: Bool.self) { pair in
                    for _ in 0..<2 { pair.addTask { await Self.isCancelled(lane, refuse) } }
                    return await pair.reduce(false) { $0 || $1 }
                }
            }
            var refusals = refused.makeAsyncIterator()
            #expect(await refusals.next() == .overloaded)
            waiting.cancel()
            gate.open()
            #expect(await waiting.value)
            try await group.waitForAll()
        }
        #expect(try await lane.run { 7 } == 7)
    }

    /// Runs nothing, tells if it is refused, and returns whether it was cancelled.
    private static func isCancelled(
        _ lane: WorkerLane,
        _ refuse: AsyncStream<EmbeddingError.Code>.Continuation
    ) async -> Bool {
        do {
            try await lane.run {}
        } catch let error as EmbeddingError {
            refuse.yield(error.code)
        } catch {
            return error is CancellationError
        }
        return false
    }
}
