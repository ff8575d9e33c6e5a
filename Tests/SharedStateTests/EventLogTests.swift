import SharedState
import Synchronization
import Testing

@Suite("The log of events", .timeLimit(.minutes(1)))
struct EventLogTests {
    private func append(_ log: InMemoryEventLog, _ text: String, last: Bool = false) async throws -> Int {
        try await log.append(Array(text.utf8), to: "s", isLast: last, lifetime: .seconds(60))
    }

    @Test("A reader gets what comes after what it has, in order, and learns of the end")
    func order() async throws {
        let log = InMemoryEventLog()
        #expect(try await log.events(in: "s", after: 0, waitingFor: .zero) == nil)
        for (index, text) in ["a", "b", "c"].enumerated() {
            #expect(try await self.append(log, text, last: text == "c") == index + 1)
        }
        let found = try #require(await log.events(in: "s", after: 1, waitingFor: .zero))
        #expect(found.events.map(\.sequence) == [2, 3])
        #expect(found.events.map { String(decoding: $0.event, as: UTF8.self) } == ["b", "c"])
        #expect(found.isLast)
        #expect(found.hasGap == false)
    }

    @Test("A reader who waits is woken by the next event, and by its own cancellation")
    func waiting() async throws {
        let log = InMemoryEventLog()
        _ = try await self.append(log, "a")
        async let next = log.events(in: "s", after: 1, waitingFor: .seconds(30))
        async let appended = self.append(log, "b")
        #expect(try await next?.events.map(\.sequence) == [2])
        #expect(try await appended == 2)
        let reader = Task { try await log.events(in: "s", after: 2, waitingFor: .seconds(30)) }
        reader.cancel()
        #expect(try await reader.value?.events.isEmpty == true)
    }

    @Test("Old events go when there are too many, and the reader learns of the gap")
    func bounds() async throws {
        var limits = InMemoryEventLog.Limits()
        limits.eventsPerStream = 3
        limits.bytesPerStream = 10
        let log = InMemoryEventLog(limits: limits)
        for text in ["1", "2", "3", "4"] { _ = try await self.append(log, text) }
        var found = try #require(await log.events(in: "s", after: 0, waitingFor: .zero))
        #expect(found.events.map(\.sequence) == [2, 3, 4])
        #expect(found.hasGap)
        _ = try await self.append(log, "much more than ten")
        found = try #require(await log.events(in: "s", after: 0, waitingFor: .zero))
        #expect(found.events.map(\.sequence) == [5])
        #expect(log.size.bytes == 18)
    }

    @Test("Streams expire, and those written to longest ago go when there is no room for all")
    func expiry() async throws {
        let now = Mutex(ContinuousClock.now)
        var limits = InMemoryEventLog.Limits()
        limits.bytes = 100
        let log = InMemoryEventLog(limits: limits) { now.withLock { $0 } }
        for index in 0..<30 {
            now.withLock { $0 += .seconds(1) }
            _ = try await log.append(
                [UInt8](repeating: 7, count: 10),
                to: "\(index)",
                isLast: false,
                lifetime: .seconds(60)
            )
        }
        #expect(log.size.bytes <= 100)
        #expect(try await log.events(in: "0", after: 0, waitingFor: .zero) == nil)
        #expect(try await log.events(in: "29", after: 0, waitingFor: .zero) != nil)
        now.withLock { $0 += .seconds(59) }
        try await log.extend("29", lifetime: .seconds(60))
        try await log.extend("none", lifetime: .seconds(60))
        now.withLock { $0 += .seconds(59) }
        #expect(try await log.events(in: "29", after: 0, waitingFor: .zero) != nil)
        #expect(try await log.events(in: "none", after: 0, waitingFor: .zero) == nil)
        now.withLock { $0 += .seconds(2) }
        #expect(try await log.events(in: "29", after: 0, waitingFor: .zero) == nil)
    }
}

@Suite("Values that are changed by several at once")
struct CompareAndSetTests {
    @Test("A value is stored only in the place of what was expected")
    func compare() async throws {
        let store = InMemoryKeyValueStore()
        #expect(try await store.compareAndSet("k", from: [1], to: [2], lifetime: .seconds(9)) == false)
        #expect(try await store.compareAndSet("k", from: nil, to: [1], lifetime: .seconds(9)))
        #expect(try await store.compareAndSet("k", from: nil, to: [2], lifetime: .seconds(9)) == false)
        #expect(try await store.compareAndSet("k", from: [1], to: [2], lifetime: .seconds(9)))
        #expect(try await store.value(for: "k") == [2])
    }

    @Test("No change is lost")
    func update() async throws {
        let store = InMemoryKeyValueStore()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<50 {
                group.addTask {
                    _ = try await store.update("k", lifetime: .seconds(9)) { [($0?.first ?? 0) + 1] }
                }
            }
            try await group.waitForAll()
        }
        #expect(try await store.value(for: "k") == [50])
    }
}

@Suite("The bus", .timeLimit(.minutes(1)))
struct EventBusTests {
    @Test("All who listen to a topic get its messages, and nobody else; letting go ends it")
    func topics() async throws {
        let bus = InMemoryEventBus()
        do {
            let first = try await bus.subscribe(to: "a")
            let second = try await bus.subscribe(to: "a")
            let other = try await bus.subscribe(to: "b")
            try await bus.publish([1], to: "a")
            try await bus.publish([2], to: "b")
            for (subscription, message) in [(first, [UInt8(1)]), (second, [1]), (other, [2])] {
                for await received in subscription {
                    #expect(received == message)
                    break
                }
            }
        }
        #expect(bus.count == 0)
    }
}
