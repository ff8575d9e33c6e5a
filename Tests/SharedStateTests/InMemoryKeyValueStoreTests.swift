import Synchronization
import Testing

@testable import SharedState

/// A clock that is set by hand.
private final class Hand: Sendable {
    private let instant = Mutex(ContinuousClock.now)

    var now: ContinuousClock.Instant { self.instant.withLock { $0 } }

    func advance(by duration: Duration) { self.instant.withLock { $0 += duration } }
}

@Suite("Values in this process")
struct InMemoryKeyValueStoreTests {
    private let clock = Hand()

    private func store(capacity: Int) -> InMemoryKeyValueStore {
        InMemoryKeyValueStore(capacity: capacity) { [clock] in clock.now }
    }

    @Test("A value is there until it expires, is extended, or is removed")
    func lifetimes() async throws {
        let store = self.store(capacity: 10)
        for key in ["short", "long", "extended", "shortened", "removed"] {
            try await store.set(key, to: Array(key.utf8), lifetime: .seconds(key == "long" ? 100 : 10))
        }
        #expect(try await store.extend("extended", lifetime: .seconds(100)))
        #expect(try await store.extend("shortened", lifetime: .seconds(5)))
        #expect(try await store.remove("removed"))
        #expect(try await store.remove("removed") == false)
        self.clock.advance(by: .seconds(5))
        #expect(try await store.value(for: "shortened") == nil)
        self.clock.advance(by: .seconds(5))
        #expect(try await store.value(for: "short") == nil)
        #expect(try await store.extend("short", lifetime: .seconds(100)) == false)
        #expect(try await store.value(for: "long") == Array("long".utf8))
        #expect(try await store.value(for: "extended") == Array("extended".utf8))
        self.clock.advance(by: .seconds(90))
        try await store.set("new", to: [], lifetime: .seconds(1))
        #expect(store.count == 1)
    }

    @Test("A full store takes a new value as soon as one has expired, and an old key's at any time")
    func full() async throws {
        let store = self.store(capacity: 3)
        for second in 1...3 { try await store.set("\(second)", to: [], lifetime: .seconds(second)) }
        try await store.set("3", to: [1], lifetime: .seconds(3))
        let error = await #expect(throws: SharedStateError.self) {
            try await store.set("4", to: [], lifetime: .seconds(9))
        }
        #expect(error?.code == .full)
        self.clock.advance(by: .seconds(1))
        try await store.set("4", to: [], lifetime: .seconds(9))
        await #expect(throws: SharedStateError.self) { try await store.set("5", to: [], lifetime: .seconds(9)) }
        #expect(try await store.value(for: "2") != nil)
        #expect(try await store.value(for: "3") == [1])
    }

    @Test("Keys come out in the order in which they expire")
    func order() {
        var queue = ExpiryQueue<String>()
        let start = self.clock.now
        for number in 0..<500 { queue.add("\(number * 7919 % 500)", at: start + .seconds(number * 7919 % 500)) }
        var keys: [String] = []
        while let key = queue.next(before: start + .seconds(249)) { keys.append(key) }
        #expect(keys == (0..<250).map(String.init))
        #expect(queue.count == 250)
    }

    @Test("A write to a full store does not look through all of it")
    func cost() async throws {
        // One value expires with each write; looking through all of them each time took minutes.
        let store = self.store(capacity: 100_000)
        for number in 0..<100_000 {
            try await store.set("\(number)", to: [], lifetime: .seconds(number + 1))
        }
        let elapsed = try await ContinuousClock().measure {
            for number in 0..<5000 {
                await #expect(throws: SharedStateError.self) { try await store.set("x", to: [], lifetime: .seconds(1)) }
                self.clock.advance(by: .seconds(1))
                try await store.set("new \(number)", to: [], lifetime: .seconds(200_000))
            }
        }
        #expect(store.count == 100_000)
        #expect(elapsed < .seconds(20), "\(elapsed)")
    }

    @Test("Keys that come and go before they expire leave nothing behind")
    func churn() async throws {
        let store = self.store(capacity: 100)
        for number in 0..<10_000 {
            try await store.set("\(number % 50)", to: [], lifetime: .seconds(1000 - number / 10_000))
            if number % 2 == 0 { _ = try await store.remove("\(number % 50)") }
            _ = try await store.extend("\(number % 50)", lifetime: .seconds(number % 900 + 1))
        }
        #expect(store.queuedCount <= 2 * store.count + 65)
    }
}
