import FoundationEssentials
import Synchronization

/// Leases for one process.
public final class InMemoryLeaseStore: LeaseStore {
    private struct Record {
        var holder: LeaseHolder
        var token: Int
        var note: String
        /// When the lease expires, or the reservation of the heir.
        var expiry: ContinuousClock.Instant
        /// What it left behind, once it was given up.
        var former: FormerLease?
        /// Until when anything of it is kept.
        var forgetting: ContinuousClock.Instant
        /// The number of its note, once it was given up.
        var number: UInt64 = 0
    }

    private struct State {
        var records: [String: Record] = [:]
        /// The names that were not taken note of since they were claimed, each with the time to look at it.
        var expiries = ExpiryQueue<String>()
        /// When to forget what is left of a lease.
        var forgettings = ExpiryQueue<String>()
        var held: [String: Set<String>] = [:]
        var heldCount = 0
        /// Names whose leases were given up with a note, oldest first, some of them claimed again since.
        var notes: [(resource: String, number: UInt64)] = []
        var lastNote: UInt64 = 0
        var lastToken = 0
    }

    private let state = Mutex(State())
    private let limits: LeaseLimits
    private let now: @Sendable () -> ContinuousClock.Instant
    private let microseconds: @Sendable () -> Int

    /// - Parameters:
    ///   - limits: How many there may be.
    ///   - now: The time, for tests.
    ///   - microseconds: The time since 1970, which tokens are made of, for tests.
    public init(
        limits: LeaseLimits = LeaseLimits(),
        now: @escaping @Sendable () -> ContinuousClock.Instant = { ContinuousClock.now },
        microseconds: (@Sendable () -> Int)? = nil
    ) {
        self.limits = limits
        self.now = now
        self.microseconds = microseconds ?? { Int(Date.now.timeIntervalSince1970 * 1_000_000) }
    }

    public func claim(
        _ resource: String,
        for holder: LeaseHolder,
        lifetime: Duration,
        note: String
    ) async throws(SharedStateError) -> LeaseClaim {
        let now = self.now()
        let microseconds = self.microseconds()
        return try self.state.withLock { state throws(SharedStateError) in
            self.forget(at: now, &state)
            var former: FormerLease?
            switch Self.status(of: resource, now, state) {
            case .held(let lease): return .held(lease)
            case .reserved(let lease, let remaining) where !lease.isMeant(for: holder):
                return .reserved(lease, remaining: remaining)
            case .reserved(let lease, _): former = lease
            case .free(let lease): former = lease
            }
            self.drop(resource, &state)
            try self.checkRoom(for: holder.principal, now, &state)
            state.lastToken = max(state.lastToken + 1, microseconds)
            var record = Record(holder: holder, token: state.lastToken, note: note, expiry: now, forgetting: now)
            state.held[holder.principal, default: []].insert(resource)
            state.heldCount += 1
            self.keep(resource, &record, until: now + lifetime, &state)
            return .granted(Self.lease(resource, record, now), after: former)
        }
    }

    public func renew(
        _ resource: String,
        token: Int,
        principal: String,
        lifetime: Duration,
        note: String?
    ) async throws(SharedStateError) -> Lease? {
        let now = self.now()
        return self.state.withLock { state in
            guard var record = Self.held(resource, token, principal, now, state) else { return nil }
            if let note { record.note = note }
            self.keep(resource, &record, until: now + lifetime, &state)
            self.tidy(&state)
            return Self.lease(resource, record, now)
        }
    }

    public func end(
        _ resource: String,
        token: Int,
        principal: String,
        _ handover: LeaseHandover
    ) async throws(SharedStateError) -> Bool {
        let now = self.now()
        return self.state.withLock { state in
            guard var record = Self.held(resource, token, principal, now, state) else { return false }
            self.drop(resource, &state)
            guard !handover.note.isEmpty || handover.heir != nil else { return true }
            record.former = FormerLease(
                holder: record.holder,
                note: handover.note,
                end: handover.isUnfinished ? .handedOver : .released,
                heir: handover.heir
            )
            record.expiry = now + handover.reservation
            state.lastNote += 1
            record.number = state.lastNote
            record.forgetting = now + self.limits.noteLifetime
            state.records[resource] = record
            state.notes.append((resource, record.number))
            state.forgettings.add(resource, at: record.forgetting)
            self.tidy(&state)
            return true
        }
    }

    public func status(of resource: String) async throws(SharedStateError) -> LeaseStatus {
        let now = self.now()
        return self.state.withLock { state in
            self.forget(at: now, &state)
            return Self.status(of: resource, now, state)
        }
    }

    public func leases(
        withPrefix prefix: String,
        of principal: String?,
        after: String?,
        limit: Int
    ) async throws(SharedStateError) -> LeasePage {
        let now = self.now()
        return self.state.withLock { state in
            let found = state.records.filter { name, record in
                record.former == nil && record.expiry > now && name.utf8.starts(with: prefix.utf8)
                    && (principal == nil || record.holder.principal == principal)
                    && (after.map { $0.utf8.lexicographicallyPrecedes(name.utf8) } ?? true)
            }
            let page = found.keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }.prefix(limit)
            let leases = page.compactMap { name in found[name].map { Self.lease(name, $0, now) } }
            return LeasePage(leases, next: found.count > page.count ? page.last : nil)
        }
    }

    public func takeExpired() async throws(SharedStateError) -> ExpiredLeases {
        let now = self.now()
        return self.state.withLock { state in
            var expired: [String] = []
            while let name = state.expiries.next(before: now) {
                guard let record = state.records[name], record.former == nil, record.expiry <= now else { continue }
                if self.stopHolding(name, record, &state) { expired.append(name) }
            }
            return ExpiredLeases(expired, next: state.expiries.earliest.map { $0 - now })
        }
    }

    // MARK: Steps

    private static func lease(_ name: String, _ record: Record, _ now: ContinuousClock.Instant) -> Lease {
        Lease(
            resource: name,
            holder: record.holder,
            token: record.token,
            note: record.note,
            remaining: record.expiry - now
        )
    }

    private static func status(of name: String, _ now: ContinuousClock.Instant, _ state: State) -> LeaseStatus {
        guard let record = state.records[name] else { return .free(nil) }
        if let former = record.former {
            return former.heir != nil && record.expiry > now
                ? .reserved(former, remaining: record.expiry - now) : .free(former.note.isEmpty ? nil : former)
        }
        if record.expiry > now { return .held(Self.lease(name, record, now)) }
        return .free(
            record.note.isEmpty ? nil : FormerLease(holder: record.holder, note: record.note, end: .expired)
        )
    }

    private static func held(
        _ name: String,
        _ token: Int,
        _ principal: String,
        _ now: ContinuousClock.Instant,
        _ state: State
    ) -> Record? {
        guard let record = state.records[name], record.former == nil, record.expiry > now, record.token == token,
            record.holder.principal == principal
        else { return nil }
        return record
    }

    private func keep(
        _ name: String,
        _ record: inout Record,
        until expiry: ContinuousClock.Instant,
        _ state: inout State
    ) {
        record.expiry = expiry
        record.forgetting = expiry + self.limits.noteLifetime
        state.records[name] = record
        state.expiries.add(name, at: expiry)
        state.forgettings.add(name, at: record.forgetting)
    }

    private func drop(_ name: String, _ state: inout State) {
        guard let record = state.records.removeValue(forKey: name) else { return }
        self.stopHolding(name, record, &state)
    }

    /// - Returns: Whether it was counted as held.
    @discardableResult
    private func stopHolding(_ name: String, _ record: Record, _ state: inout State) -> Bool {
        guard state.held[record.holder.principal]?.remove(name) != nil else { return false }
        state.heldCount -= 1
        if state.held[record.holder.principal]?.isEmpty == true { state.held[record.holder.principal] = nil }
        return true
    }

    /// Leases that have expired don't count, although nobody has taken note of them yet.
    private func checkRoom(
        for principal: String,
        _ now: ContinuousClock.Instant,
        _ state: inout State
    ) throws(SharedStateError) {
        let isFull = { (state: State) in
            (state.held[principal]?.count ?? 0) >= self.limits.perPrincipal || state.heldCount >= self.limits.total
        }
        guard isFull(state) else { return }
        while let name = state.expiries.next(before: now) {
            if let record = state.records[name], record.expiry <= now { self.stopHolding(name, record, &state) }
        }
        let count = state.held[principal]?.count ?? 0
        if count >= self.limits.perPrincipal { throw LeaseLimits.tooManyOfPrincipal(count) }
        if state.heldCount >= self.limits.total { throw LeaseLimits.tooMany(state.heldCount) }
    }

    /// Forgets what is left of leases that were over long ago.
    private func forget(at now: ContinuousClock.Instant, _ state: inout State) {
        while let name = state.forgettings.next(before: now) {
            if let record = state.records[name], record.forgetting <= now { self.drop(name, &state) }
        }
    }

    /// Keeps notes and queues within their limits.
    private func tidy(_ state: inout State) {
        // Some more than allowed, so that not every note moves all others.
        if state.notes.count > self.limits.notes + self.limits.notes / 8 {
            let dropped = state.notes.count - self.limits.notes
            for (name, number) in state.notes.prefix(dropped) where state.records[name]?.number == number {
                state.records[name] = nil
            }
            state.notes.removeFirst(dropped)
        }
        state.expiries.compact(to: state.heldCount) { [state] in
            state.held.values.joined().compactMap { name in state.records[name].map { (name, $0.expiry) } }
        }
        state.forgettings.compact(to: state.records.count) { [records = state.records] in
            records.lazy.map { ($0.key, $0.value.forgetting) }
        }
    }
}
