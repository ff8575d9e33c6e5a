import SharedState
import Synchronization
import Testing

@Suite("Idempotency in this process")
struct InMemoryIdempotencyStoreTests {
    @Test("Operations are forgotten after their time, and no more are taken than is allowed")
    func limits() async throws {
        let clock = Mutex(ContinuousClock.now)
        var limits = IdempotencyLimits()
        (limits.perOwner, limits.total, limits.bytes) = (2, 4, 10)
        let store = InMemoryIdempotencyStore(limits: limits, now: { clock.withLock { $0 } })
        func begin(_ owner: String, _ name: String) async throws -> IdempotencyState {
            try await store.begin(
                IdempotencyKey(owner: owner, name: name),
                fingerprint: [1],
                attempt: "1",
                lease: .seconds(9),
                mayRepeat: false
            )
        }
        #expect(try await begin("a", "1") == .begun)
        clock.withLock { $0 += .seconds(3600) }
        #expect(try await begin("a", "2") == .begun)
        let error = await #expect(throws: SharedStateError.self) { try await begin("a", "3") }
        #expect(error?.code == .full)
        #expect(try await begin("b", "3") == .begun)
        #expect(
            try await store.finish(
                IdempotencyKey(owner: "b", name: "3"),
                attempt: "1",
                answer: .init(repeating: 0, count: 10)
            )
        )
        let full = await #expect(throws: SharedStateError.self) { try await begin("c", "4") }
        #expect(full?.code == .full)
        // A day after it was begun, the first is gone, and the others are not.
        clock.withLock { $0 += .seconds(83_000) }
        #expect(try await begin("a", "2") == .abandoned)
        #expect(try await begin("b", "3") == .finished(.init(repeating: 0, count: 10)))
        clock.withLock { $0 += .seconds(3600) }
        #expect(try await begin("a", "1") == .begun)
    }
}
