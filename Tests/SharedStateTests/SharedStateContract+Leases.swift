import SharedState
import Testing

extension SharedStateContract {
    private static let hour = Duration.seconds(3600)

    private func holder(_ name: String, _ agent: String? = nil) -> LeaseHolder {
        LeaseHolder(principal: self.name(name), agent: agent)
    }

    private func claim(
        _ resource: String,
        _ holder: LeaseHolder,
        lifetime: Duration = hour,
        note: String = ""
    ) async throws -> (lease: Lease, former: FormerLease?) {
        let claim = try await self.stores.leases.claim(resource, for: holder, lifetime: lifetime, note: note)
        guard case .granted(let lease, let former) = claim else { throw NotGranted(claim: claim) }
        return (lease, former)
    }

    func leases() async throws {
        let store = self.stores.leases
        let (alice, bob) = (self.holder("alice", "one"), self.holder("bob"))
        let item = self.name("jira:ENG-12 ü:{x}")
        #expect(try await store.status(of: item) == .free(nil))
        let first = try await self.claim(item, alice, note: "reading").lease
        #expect(first.resource == item && first.holder == alice && first.note == "reading")
        #expect(first.remaining > .seconds(3590) && first.remaining <= Self.hour)
        // Nobody else gets it, not even another agent of the same principal, nor the holder twice.
        for holder in [bob, self.holder("alice", "two"), alice] {
            guard case .held(let held) = try await store.claim(item, for: holder, lifetime: Self.hour, note: "") else {
                Issue.record("given twice")
                return
            }
            #expect(held.holder == alice && held.token == first.token && held.note == "reading")
        }
        // Only with the token, and only for the principal who has it.
        let wrong = [(first.token + 1, alice.principal), (first.token, bob.principal)]
        for (token, principal) in wrong {
            let renewed = try await store.renew(
                item,
                token: token,
                principal: principal,
                lifetime: Self.hour,
                note: "x"
            )
            #expect(renewed == nil)
            #expect(try await store.end(item, token: token, principal: principal, .release()) == false)
        }
        let renewed = try await store.renew(
            item,
            token: first.token,
            principal: alice.principal,
            lifetime: Self.hour * 2,
            note: "writing"
        )
        #expect(renewed?.note == "writing" && renewed?.token == first.token && renewed?.holder == alice)
        #expect((renewed?.remaining ?? .zero) > Self.hour)
        let kept = try await store.renew(
            item,
            token: first.token,
            principal: alice.principal,
            lifetime: Self.hour,
            note: nil
        )
        #expect(kept?.note == "writing")
        #expect(try await store.end(item, token: first.token, principal: alice.principal, .release()))
        #expect(try await store.end(item, token: first.token, principal: alice.principal, .release()) == false)
        #expect(try await store.status(of: item) == .free(nil))
        let second = try await self.claim(item, bob)
        #expect(second.lease.token > first.token && second.former == nil)
    }

    func expiredLeases() async throws {
        let store = self.stores.leases
        let (alice, bob) = (self.holder("alice"), self.holder("bob"))
        let (item, silent) = (self.name("expiring"), self.name("silent"))
        let first = try await self.claim(item, alice, lifetime: .milliseconds(20), note: "half done").lease
        _ = try await self.claim(silent, alice, lifetime: .milliseconds(20))
        try await Task.sleep(for: .milliseconds(50))
        #expect(
            try await store.renew(
                item,
                token: first.token,
                principal: alice.principal,
                lifetime: Self.hour,
                note: nil
            ) == nil
        )
        #expect(try await store.end(item, token: first.token, principal: alice.principal, .release()) == false)
        let left = FormerLease(holder: alice, note: "half done", end: .expired)
        #expect(try await store.status(of: item) == .free(left))
        #expect(try await store.status(of: silent) == .free(nil))
        // Each is told once. Other checks run beside, and their leases don't expire.
        let expired = try await store.takeExpired()
        #expect(Set(expired.resources).isSuperset(of: [item, silent]))
        #expect(expired.next.map { $0 > .zero } ?? true)
        #expect(try await store.takeExpired().resources.contains(item) == false)
        let second = try await self.claim(item, bob)
        #expect(second.former == left && second.lease.token > first.token)
        let page = try await store.leases(withPrefix: item, of: nil, after: nil, limit: 10)
        #expect(page.leases.map(\.token) == [second.lease.token])
    }

    func handovers() async throws {
        let store = self.stores.leases
        let (alice, bob, carol) = (self.holder("alice", "one"), self.holder("bob"), self.holder("carol"))
        let item = self.name("handed over")
        // To anybody, with a note.
        var lease = try await self.claim(item, alice).lease
        #expect(
            try await store.end(
                item,
                token: lease.token,
                principal: alice.principal,
                LeaseHandover(note: "tests are missing")
            )
        )
        var former = FormerLease(holder: alice, note: "tests are missing", end: .handedOver)
        #expect(try await store.status(of: item) == .free(former))
        var next = try await self.claim(item, carol)
        #expect(next.former == former && next.lease.token > lease.token)
        // To one principal.
        lease = next.lease
        let handover = LeaseHandover(note: "yours", to: bob.principal, reservation: Self.hour)
        #expect(try await store.end(item, token: lease.token, principal: carol.principal, handover))
        former = FormerLease(holder: carol, note: "yours", end: .handedOver, heir: bob.principal)
        guard case .reserved(former, let remaining) = try await store.status(of: item),
            case .reserved(former, _) = try await store.claim(item, for: alice, lifetime: Self.hour, note: "")
        else {
            Issue.record("not reserved")
            return
        }
        #expect(remaining > .seconds(3500))
        next = try await self.claim(item, bob)
        #expect(next.former == former && next.lease.token > lease.token)
        // To another agent of the same principal, whatever agents of others call themselves.
        lease = next.lease
        let within = LeaseHandover(note: "", to: "two", reservation: Self.hour)
        #expect(try await store.end(item, token: lease.token, principal: bob.principal, within))
        guard
            case .reserved = try await store.claim(
                item,
                for: self.holder("alice", "two"),
                lifetime: Self.hour,
                note: ""
            )
        else {
            Issue.record("not reserved")
            return
        }
        next = try await self.claim(item, self.holder("bob", "two"))
        // Once the reservation is over, anybody may claim it. What was released with a note is not reserved.
        lease = next.lease
        let short = LeaseHandover(note: "quick", to: alice.principal, reservation: .milliseconds(20))
        #expect(try await store.end(item, token: lease.token, principal: bob.principal, short))
        try await Task.sleep(for: .milliseconds(50))
        next = try await self.claim(item, carol)
        #expect(next.former?.note == "quick" && next.lease.token > lease.token)
        let release = LeaseHandover.release(note: "done")
        #expect(try await store.end(item, token: next.lease.token, principal: carol.principal, release))
        #expect(
            try await store.status(of: item) == .free(FormerLease(holder: carol, note: "done", end: .released))
        )
    }

    func listedLeases() async throws {
        let store = self.stores.leases
        let (alice, bob) = (self.holder("lister"), self.holder("other lister"))
        let prefix = self.name("list") + "/"
        let names = ["a", "aa", "b", "z", "é"].map { prefix + $0 }
        for (index, name) in names.enumerated() {
            _ = try await self.claim(name, index == 2 ? bob : alice)
        }
        var found: [String] = []
        var after: String?
        repeat {
            let page = try await store.leases(withPrefix: prefix, of: nil, after: after, limit: 2)
            #expect(page.leases.count <= 2)
            found += page.leases.map(\.resource)
            after = page.next
        } while after != nil
        #expect(found == names)
        let mine = try await store.leases(withPrefix: prefix, of: bob.principal, after: nil, limit: 10)
        #expect(mine.leases.map(\.resource) == [prefix + "b"] && mine.next == nil)
        #expect(mine.leases.first?.holder == bob)
        let some = try await store.leases(withPrefix: prefix + "a", of: nil, after: nil, limit: 10)
        #expect(some.leases.map(\.resource) == [prefix + "a", prefix + "aa"])
        #expect(try await store.leases(withPrefix: prefix + "y", of: nil, after: nil, limit: 10).leases.isEmpty)
    }

    // MARK: Operations that are carried out once

    func operations() async throws {
        let store = self.stores.idempotency
        let key = IdempotencyKey(owner: self.name("owner"), name: "k")
        func begin(
            _ key: IdempotencyKey,
            _ attempt: String,
            _ fingerprint: UInt8 = 1,
            lease: Duration = Self.hour,
            mayRepeat: Bool = false
        ) async throws -> IdempotencyState {
            try await store.begin(
                key,
                fingerprint: [fingerprint, 0, 255],
                attempt: attempt,
                lease: lease,
                mayRepeat: mayRepeat
            )
        }
        #expect(try await begin(key, "1") == .begun)
        #expect(try await begin(key, "2", mayRepeat: true) == .running)
        #expect(try await begin(key, "2", 9) == .otherRequest)
        #expect(try await store.finish(key, attempt: "2", answer: [2]) == false)
        try await store.forget(key, attempt: "2")
        try await store.abandon(key, attempt: "2")
        #expect(try await begin(key, "2") == .running)
        #expect(try await store.finish(key, attempt: "1", answer: [1, 0, 13, 10]))
        #expect(try await store.finish(key, attempt: "1", answer: [3]) == false)
        #expect(try await begin(key, "2", mayRepeat: true) == .finished([1, 0, 13, 10]))
        // What is finished can't be undone by its own attempt either.
        try await store.forget(key, attempt: "1")
        try await store.abandon(key, attempt: "1")
        #expect(try await begin(key, "2") == .finished([1, 0, 13, 10]))
        #expect(try await begin(key, "2", 9) == .otherRequest)

        // Others have keys of their own, and what changed nothing is forgotten.
        let other = IdempotencyKey(owner: self.name("other owner"), name: "k")
        #expect(try await begin(other, "1") == .begun)
        try await store.forget(other, attempt: "1")
        #expect(try await begin(other, "2", 9) == .begun)

        // An attempt that is given up, or not heard of any more, stays unfinished, unless it may be repeated.
        try await store.abandon(other, attempt: "2")
        #expect(try await begin(other, "3", 9) == .abandoned)
        #expect(try await begin(other, "4", 9, lease: .milliseconds(20), mayRepeat: true) == .begun)
        #expect(try await store.finish(other, attempt: "2", answer: [2]) == false)
        #expect(try await store.keep(other, attempt: "4", lease: Self.hour))
        #expect(try await store.keep(other, attempt: "2", lease: Self.hour) == false)
        try await Task.sleep(for: .milliseconds(50))
        #expect(try await begin(other, "5", 9) == .running)
        #expect(try await store.keep(other, attempt: "4", lease: .milliseconds(20)))
        try await Task.sleep(for: .milliseconds(50))
        #expect(try await begin(other, "5", 9) == .abandoned)
        // It was only slow: its answer is the truth.
        #expect(try await store.finish(other, attempt: "4", answer: []))
        #expect(try await begin(other, "5", 9) == .finished([]))
    }
}

private struct NotGranted: Error {
    var claim: LeaseClaim
}
