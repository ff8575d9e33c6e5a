import SharedState
import Synchronization
import Testing

/// Two agents that claim, work, pause and forget, on the same items at the same time.
struct LeaseRace: Sendable {
    static let items = 500
    static let claims = 1000
    /// Short, so that many leases expire while their holders pause.
    static let lifetime = Duration.milliseconds(40)

    let store: any LeaseStore
    private let run = UInt64.random(in: 0 ... .max)

    init(_ store: any LeaseStore) { self.store = store }

    /// When a holder had a lease for certain: from when it knew of it until it gave it up, or until the lease may have
    /// expired, counted from before it was asked for.
    private struct Span {
        var agent: Int
        var token: Int
        var start: ContinuousClock.Instant
        var end: ContinuousClock.Instant
    }

    /// What guards an item: it takes no token that is less than one it has seen.
    private struct Guarded {
        var token = 0
        var writes: [(agent: Int, token: Int)] = []
    }

    private struct Notes {
        var spans: [Int: [Span]] = [:]
        var guarded: [Int: Guarded] = [:]
        var refusedClaims = 0
        var expired = 0
        var refusedWrites = 0
    }

    private final class Book: Sendable {
        let notes = Mutex(Notes())
    }

    func check() async throws {
        let book = Book()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for agent in 0..<2 {
                group.addTask { try await self.work(agent, book) }
            }
            try await group.waitForAll()
        }
        let notes = book.notes.withLock { $0 }
        let granted = notes.spans.values.reduce(0) { $0 + $1.count }
        #expect(granted + notes.refusedClaims == 2 * Self.claims)
        #expect(notes.expired > 0)
        for (item, spans) in notes.spans {
            // In the order of their tokens, each ends before the next begins; no token comes twice.
            let ordered = spans.sorted { $0.token < $1.token }
            for (earlier, later) in zip(ordered, ordered.dropFirst()) {
                #expect(earlier.token < later.token, "item \(item)")
                #expect(earlier.end <= later.start, "item \(item) was held twice at once")
            }
        }
        for (item, guarded) in notes.guarded {
            let tokens = guarded.writes.map(\.token)
            #expect(tokens == tokens.sorted(), "item \(item)")
        }
        try await self.staleWrite(book)
    }

    private func work(_ agent: Int, _ book: Book) async throws {
        var generator = SystemRandomNumberGenerator()
        let holder = LeaseHolder(principal: "agent-\(self.run)-\(agent)")
        for round in 0..<Self.claims {
            // Half of the claims go to a few items, so that the agents get in each other's way.
            let item = Int.random(in: 0..<(round.isMultiple(of: 2) ? 10 : Self.items), using: &generator)
            let name = "item-\(self.run)-\(item)"
            let asked = ContinuousClock.now
            let claim = try await self.store.claim(name, for: holder, lifetime: Self.lifetime, note: "")
            guard case .granted(let lease, _) = claim else {
                book.notes.withLock { $0.refusedClaims += 1 }
                continue
            }
            let start = ContinuousClock.now
            self.write(agent, item, lease.token, book)
            let pauses = round % 50 == 49
            if pauses { try await Task.sleep(for: Self.lifetime * 2) } else { await Task.yield() }
            self.write(agent, item, lease.token, book)
            let end = min(ContinuousClock.now, asked + Self.lifetime)
            book.notes.withLock {
                $0.spans[item, default: []].append(
                    Span(agent: agent, token: lease.token, start: start, end: max(start, end))
                )
            }
            // Some are given up, and some are left to expire.
            guard pauses || round % 5 != 4 else { continue }
            let isEnded = try await self.store.end(
                name,
                token: lease.token,
                principal: holder.principal,
                .release()
            )
            if pauses {
                #expect(isEnded == false, "a lease outlived its time")
                book.notes.withLock { $0.expired += 1 }
            }
        }
    }

    private func write(_ agent: Int, _ item: Int, _ token: Int, _ book: Book) {
        book.notes.withLock { notes in
            guard token >= notes.guarded[item]?.token ?? 0 else {
                notes.refusedWrites += 1
                return
            }
            notes.guarded[item, default: Guarded()].token = token
            notes.guarded[item]?.writes.append((agent, token))
        }
    }

    /// Whoever comes back after its lease has expired and was given to another one is refused.
    private func staleWrite(_ book: Book) async throws {
        let name = "stale-\(self.run)"
        let (slow, quick) = (LeaseHolder(principal: "slow-\(self.run)"), LeaseHolder(principal: "quick-\(self.run)"))
        let claim = try await self.store.claim(name, for: slow, lifetime: .milliseconds(5), note: "")
        try await Task.sleep(for: .milliseconds(20))
        let next = try await self.store.claim(name, for: quick, lifetime: .seconds(60), note: "")
        guard case .granted(let old, _) = claim, case .granted(let new, _) = next else {
            Issue.record("not granted")
            return
        }
        let refused = book.notes.withLock { $0.refusedWrites }
        self.write(1, -1, new.token, book)
        self.write(0, -1, old.token, book)
        #expect(book.notes.withLock { $0.refusedWrites } == refused + 1)
    }
}

@Suite("Leases in this process", .timeLimit(.minutes(1)))
struct InMemoryLeaseTests {
    @Test("Two agents with 1,000 claims each over 500 items never hold one at once")
    func race() async throws {
        try await LeaseRace(InMemoryLeaseStore()).check()
    }

    @Test("Nobody gets more than is allowed, and what has expired counts no more")
    func limits() async throws {
        let clock = Mutex(ContinuousClock.now)
        var limits = LeaseLimits()
        (limits.perPrincipal, limits.total) = (2, 3)
        let store = InMemoryLeaseStore(limits: limits, now: { clock.withLock { $0 } })
        func claim(_ name: String, _ principal: String) async throws -> LeaseClaim {
            try await store.claim(name, for: LeaseHolder(principal: principal), lifetime: .seconds(60), note: "")
        }
        _ = try await claim("1", "a")
        _ = try await claim("2", "a")
        let own = await #expect(throws: SharedStateError.self) { try await claim("3", "a") }
        #expect(own?.code == .full && own?.message.contains("2") == true)
        _ = try await claim("3", "b")
        let all = await #expect(throws: SharedStateError.self) { try await claim("4", "b") }
        #expect(all?.code == .full && all?.message.contains("3") == true)
        clock.withLock { $0 += .seconds(61) }
        _ = try await claim("4", "a")
    }

    @Test("Notes are forgotten after their time, and the oldest when there are too many")
    func notes() async throws {
        let clock = Mutex(ContinuousClock.now)
        var limits = LeaseLimits()
        limits.notes = 8
        let store = InMemoryLeaseStore(limits: limits, now: { clock.withLock { $0 } })
        func note(_ name: String) async throws {
            let holder = LeaseHolder(principal: "a")
            guard
                case .granted(let lease, _) = try await store.claim(name, for: holder, lifetime: .seconds(9), note: "")
            else { return }
            _ = try await store.end(name, token: lease.token, principal: "a", .release(note: "n"))
        }
        for number in 0..<10 { try await note("\(number)") }
        #expect(try await store.status(of: "0") == .free(nil))
        guard case .free(.some) = try await store.status(of: "9") else {
            Issue.record("forgotten")
            return
        }
        clock.withLock { $0 += limits.noteLifetime + .seconds(1) }
        #expect(try await store.status(of: "9") == .free(nil))
    }

    @Test("Tokens go on increasing when the clock is set back, and after everything was lost")
    func tokens() async throws {
        let clock = Mutex(1_000_000)
        func store() -> InMemoryLeaseStore { InMemoryLeaseStore(microseconds: { clock.withLock { $0 } }) }
        func token(_ store: InMemoryLeaseStore, _ name: String) async throws -> Int {
            let claim = try await store.claim(
                name,
                for: LeaseHolder(principal: "a"),
                lifetime: .seconds(9),
                note: ""
            )
            guard case .granted(let lease, _) = claim else { return 0 }
            return lease.token
        }
        let first = store()
        let tokens = [try await token(first, "1"), try await token(first, "2")]
        #expect(tokens == [1_000_000, 1_000_001])
        clock.withLock { $0 = 5 }
        #expect(try await token(first, "3") == 1_000_002)
        clock.withLock { $0 = 2_000_000 }
        #expect(try await token(store(), "1") == 2_000_000)
    }
}
