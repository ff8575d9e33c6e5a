import SharedState
import Testing

/// What every implementation of shared state promises.
///
/// Each check uses names of its own, so that all can run at once against one server.
struct SharedStateContract: Sendable {
    let stores: SharedStores
    private let run = UInt64.random(in: 0 ... .max)

    init(_ stores: SharedStores) { self.stores = stores }

    func check() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await self.values() }
            group.addTask { try await self.expiry() }
            group.addTask { try await self.contention() }
            group.addTask { try await self.order() }
            group.addTask { try await self.waiting() }
            group.addTask { try await self.topics() }
            group.addTask { try await self.leases() }
            group.addTask { try await self.expiredLeases() }
            group.addTask { try await self.handovers() }
            group.addTask { try await self.listedLeases() }
            group.addTask { try await self.operations() }
            group.addTask { try await self.rates() }
            group.addTask { try await self.quotas() }
            group.addTask { try await self.places() }
            group.addTask { try await self.manyAtOnce() }
            try await group.waitForAll()
        }
    }

    func name(_ text: String) -> String { "\(text)-\(self.run)" }

    private func values() async throws {
        let store = self.stores.values
        let key = self.name("value")
        #expect(try await store.value(for: key) == nil)
        #expect(try await store.extend(key, lifetime: .seconds(60)) == false)
        // Bytes that are no text, and the empty value, come back as they were.
        for value in [[UInt8](0...255), [], Array("\r\n$-1\r\n".utf8), [UInt8](repeating: 7, count: 1 << 20)] {
            try await store.set(key, to: value, lifetime: .seconds(60))
            #expect(try await store.value(for: key) == value)
        }
        #expect(try await store.compareAndSet(key, from: [1], to: [2], lifetime: .seconds(60)) == false)
        #expect(try await store.compareAndSet(key, from: nil, to: [2], lifetime: .seconds(60)) == false)
        try await store.set(key, to: [], lifetime: .seconds(60))
        #expect(try await store.compareAndSet(key, from: nil, to: [2], lifetime: .seconds(60)) == false)
        #expect(try await store.compareAndSet(key, from: [], to: [2], lifetime: .seconds(60)))
        #expect(try await store.extend(key, lifetime: .seconds(60)))
        #expect(try await store.value(for: key) == [2])
        #expect(try await store.remove(key))
        #expect(try await store.remove(key) == false)
        #expect(try await store.compareAndSet(key, from: [2], to: [3], lifetime: .seconds(60)) == false)
        #expect(try await store.compareAndSet(key, from: nil, to: [3], lifetime: .seconds(60)))
    }

    private func expiry() async throws {
        let store = self.stores.values
        let (short, extended) = (self.name("short"), self.name("extended"))
        try await store.set(short, to: [1], lifetime: .milliseconds(1))
        try await store.set(extended, to: [1], lifetime: .milliseconds(1500))
        #expect(try await store.extend(extended, lifetime: .seconds(60)))
        try await Task.sleep(for: .seconds(2))
        #expect(try await store.value(for: short) == nil)
        #expect(try await store.extend(short, lifetime: .seconds(60)) == false)
        #expect(try await store.value(for: extended) == [1])
    }

    private func contention() async throws {
        let key = self.name("contended")
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    for _ in 0..<10 {
                        _ = try await self.stores.values.update(key, lifetime: .seconds(60)) { [($0?.first ?? 0) + 1] }
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(try await self.stores.values.value(for: key) == [80])
    }

    private func order() async throws {
        let log = self.stores.events
        let stream = self.name("ordered")
        #expect(try await log.events(in: stream, after: 0, waitingFor: .zero) == nil)
        for number in 1...5 {
            let event = [UInt8(number), 13, 10, 0]
            #expect(try await log.append(event, to: stream, isLast: number == 5, lifetime: .seconds(60)) == number)
        }
        let all = try #require(try await log.events(in: stream, after: 0, waitingFor: .zero))
        #expect(all.events.map(\.sequence) == [1, 2, 3, 4, 5])
        #expect(all.events.map { $0.event.first } == [1, 2, 3, 4, 5])
        #expect(all.isLast && !all.hasGap)
        let rest = try #require(try await log.events(in: stream, after: 3, waitingFor: .zero))
        #expect(rest.events.map(\.sequence) == [4, 5])
        let none = try #require(try await log.events(in: stream, after: 5, waitingFor: .seconds(60)))
        #expect(none.events.isEmpty && none.isLast && !none.hasGap)
    }

    private func waiting() async throws {
        let log = self.stores.events
        let stream = self.name("awaited")
        _ = try await log.append([1], to: stream, isLast: false, lifetime: .seconds(60))
        async let next = log.events(in: stream, after: 1, waitingFor: .seconds(60))
        // Whether the reader waits already or not, it gets the event.
        _ = try await log.append([2], to: stream, isLast: false, lifetime: .seconds(60))
        #expect(try await next?.events.map(\.sequence) == [2])
        try await log.extend(stream, lifetime: .seconds(60))
        try await log.extend(self.name("no stream"), lifetime: .seconds(60))
        #expect(try await log.events(in: self.name("no stream"), after: 0, waitingFor: .zero) == nil)
        let silent = try #require(try await log.events(in: stream, after: 2, waitingFor: .milliseconds(10)))
        #expect(silent.events.isEmpty && !silent.isLast)
        let reader = Task { try await log.events(in: stream, after: 2, waitingFor: .seconds(600)) }
        reader.cancel()
        _ = await reader.result
    }

    private func topics() async throws {
        let bus = self.stores.bus
        let (topic, other) = (self.name("topic"), self.name("other"))
        let first = try await bus.subscribe(to: topic)
        let second = try await bus.subscribe(to: topic)
        let third = try await bus.subscribe(to: other)
        for number in 0..<100 { try await bus.publish([UInt8(number), 10], to: topic) }
        try await bus.publish([], to: other)
        for subscription in [first, second] {
            var messages = subscription.makeAsyncIterator()
            for number in 0..<100 { #expect(await messages.next() == [UInt8(number), 10]) }
        }
        var messages = third.makeAsyncIterator()
        #expect(await messages.next() == [])
    }
}

@Suite("Shared state in this process", .timeLimit(.minutes(1)))
struct InMemorySharedStateTests {
    @Test("It keeps the promises of shared state")
    func contract() async throws {
        try await SharedStateContract(.inMemory()).check()
    }
}
