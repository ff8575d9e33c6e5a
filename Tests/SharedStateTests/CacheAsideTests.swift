import SharedState
import Synchronization
import TestSupport
import Testing

/// What is slow to find out: it counts, and can be held up.
private final class Source: Sendable {
    private struct State {
        var count = 0
        var isHeld = false
        var held: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())
    let began = AsyncStream<Void>.makeStream()

    var count: Int { self.state.withLock { $0.count } }

    func hold() { self.state.withLock { $0.isHeld = true } }

    func release() {
        let held = self.state.withLock { state in
            state.isHeld = false
            defer { state.held = [] }
            return state.held
        }
        for continuation in held { continuation.resume() }
    }

    func load() async -> [UInt8]? {
        let number = self.state.withLock { state in
            state.count += 1
            return state.count
        }
        self.began.continuation.yield()
        await withCheckedContinuation { continuation in
            let isFree = self.state.withLock { state in
                if state.isHeld { state.held.append(continuation) }
                return !state.isHeld
            }
            if isFree { continuation.resume() }
        }
        return [UInt8(number)]
    }
}

/// What a cache promises on any store.
struct CacheAsideContract: Sendable {
    private let store: UnreliableStore
    private let run = UInt64.random(in: 0 ... .max)

    init(_ store: any KeyValueStore) { self.store = UnreliableStore(store) }

    func check() async throws {
        try await self.singleFlight()
        try await self.staleness()
        try await self.invalidation()
        try await self.cancellation()
        try await self.failures()
    }

    private func cache(
        _ name: String,
        lifetime: Duration = .seconds(60),
        clock: Clock = Clock(),
        random: Double = 0
    ) -> CacheAside {
        CacheAside(
            "\(name)-\(self.run)",
            store: self.store,
            policy: .init(lifetime: lifetime),
            now: { clock.time.withLock { $0 } },
            random: { random }
        )
    }

    private final class Clock: Sendable {
        let time = Mutex(1_000_000)
    }

    private func singleFlight() async throws {
        let (one, other, source) = (self.cache("flight"), self.cache("flight"), Source())
        source.hold()
        try await withThrowingTaskGroup(of: [UInt8]?.self) { group in
            for _ in 0..<50 { group.addTask { try await one.value(for: "k") { await source.load() } } }
            var began = source.began.stream.makeAsyncIterator()
            await began.next()
            source.release()
            for try await value in group { #expect(value == [1]) }
        }
        #expect(source.count == 1)
        // Another replica has it, and other keys and groups are others.
        #expect(try await other.value(for: "k") { await source.load() } == [1])
        #expect(try await other.value(for: "l") { await source.load() } == [2])
        #expect(try await other.value(for: "k", in: "g") { await source.load() } == [3])
        #expect(source.count == 3)
        // What isn't there is asked for each time, and so is what is too large.
        #expect(try await one.value(for: "none") { nil } == nil)
        #expect(try await one.value(for: "none") { [7] } == [7])
        let large = [UInt8](repeating: 1, count: (64 << 10) + 1)
        #expect(try await one.value(for: "large") { large } == large)
        #expect(try await one.value(for: "large") { [7] } == [7])
    }

    private func staleness() async throws {
        let (clock, source) = (Clock(), Source())
        let (cache, other) = (self.cache("stale", clock: clock, random: 1), self.cache("stale", clock: clock))
        var sets = self.store.sets.makeAsyncIterator()
        func waitForSet() async {
            while let key = await sets.next() {
                if key == "cache:stale-\(self.run)::k" { return }
            }
        }
        #expect(try await cache.value(for: "k") { await source.load() } == [1])
        await waitForSet()
        // By the jitter it is fresh for a tenth longer.
        clock.time.withLock { $0 += 65_999 }
        #expect(try await cache.value(for: "k") { await source.load() } == [1])
        #expect(source.count == 1)
        // Now it is stale: it is given all the same, and loaded once, however many ask.
        clock.time.withLock { $0 += 1 }
        source.hold()
        for asked in 0..<10 {
            #expect(try await (asked.isMultiple(of: 2) ? cache : other).value(for: "k") { await source.load() } == [1])
        }
        source.release()
        await waitForSet()
        #expect(source.count == 2)
        #expect(try await other.value(for: "k") { await source.load() } == [2])
    }

    private func invalidation() async throws {
        let (one, other, source) = (self.cache("group"), self.cache("group"), Source())
        #expect(try await one.value(for: "k", in: "a") { await source.load() } == [1])
        #expect(try await one.value(for: "k", in: "b") { await source.load() } == [2])
        try await other.invalidate("a")
        #expect(try await one.value(for: "k", in: "a") { await source.load() } == [3])
        #expect(try await one.value(for: "k", in: "b") { await source.load() } == [2])
        // What was being loaded while it was made useless is not kept.
        try await other.invalidate("a")
        let value = try await one.value(for: "k", in: "a") {
            let value = await source.load()
            try await other.invalidate("a")
            return value
        }
        #expect(value == [4])
        #expect(try await one.value(for: "k", in: "a") { await source.load() } == [5])
    }

    private func cancellation() async throws {
        let (cache, source) = (self.cache("cancelled"), Source())
        source.hold()
        var began = source.began.stream.makeAsyncIterator()
        let leader = Task { try await cache.value(for: "k") { await source.load() } }
        await began.next()
        async let follower = cache.value(for: "k") { await source.load() }
        leader.cancel()
        await #expect(throws: CancellationError.self) { try await leader.value }
        source.release()
        // Whether it came in time to wait for the same load or not, it gets a value.
        #expect(try await follower != nil)
    }

    private func failures() async throws {
        struct Broken: Error {}
        let (cache, source) = (self.cache("failing"), Source())
        await #expect(throws: Broken.self) { try await cache.value(for: "k") { throw Broken() } }
        #expect(try await cache.value(for: "k") { await source.load() } == [1])
        self.store.isAway = true
        // Without the store everything is loaded, and nothing fails.
        #expect(try await cache.value(for: "k") { await source.load() } == [2])
        #expect(try await cache.value(for: "k") { await source.load() } == [3])
        await #expect(throws: SharedStateError.self) { try await cache.invalidate("") }
        self.store.isAway = false
    }
}

@Suite("Copies kept in this process", .timeLimit(.minutes(1)))
struct InMemoryCacheAsideTests {
    @Test("It keeps the promises of the cache")
    func contract() async throws {
        try await CacheAsideContract(InMemoryKeyValueStore()).check()
    }
}
