/// Leases on names, so that several programs don't do the same work twice.
///
/// At most one holder has a lease on a name at a time, by the store's own clock. A holder that was paused may believe in
/// a lease that is over; the fencing tokens are for that. Tokens of one name increase strictly, also after leases have
/// expired. They are never less than the microseconds since 1970 at which the lease was given, so they increase after
/// the store has lost everything, too, unless its clock was set back by more than it was away.
public protocol LeaseStore: Sendable {
    /// Claims a name.
    ///
    /// - Parameters:
    ///   - resource: The name; any text.
    ///   - holder: Who wants it.
    ///   - lifetime: For how long; afterwards it is free again.
    ///   - note: What others see, and who comes next gets if the lease expires.
    /// - Returns: The lease, or who stands in the way.
    /// - Throws: ``SharedStateError`` with the code ``SharedStateError/Code/full`` when the principal, or all together,
    ///   hold as many as is allowed.
    func claim(
        _ resource: String,
        for holder: LeaseHolder,
        lifetime: Duration,
        note: String
    ) async throws(SharedStateError) -> LeaseClaim

    /// Keeps a lease for `lifetime`, counted from now.
    ///
    /// - Parameters:
    ///   - resource: The name.
    ///   - token: The token of the lease.
    ///   - principal: Who has it.
    ///   - lifetime: For how long.
    ///   - note: Another note, or nothing to leave it.
    /// - Returns: The lease, or nothing if the principal does not have it any more.
    /// - Throws: ``SharedStateError`` if the store can't be reached.
    func renew(
        _ resource: String,
        token: Int,
        principal: String,
        lifetime: Duration,
        note: String?
    ) async throws(SharedStateError) -> Lease?

    /// Gives a lease up.
    ///
    /// - Parameters:
    ///   - resource: The name.
    ///   - token: The token of the lease.
    ///   - principal: Who has it.
    ///   - handover: What is left for the next one; without a note nothing is.
    /// - Returns: Whether the principal had the lease.
    /// - Throws: ``SharedStateError`` if the store can't be reached.
    func end(
        _ resource: String,
        token: Int,
        principal: String,
        _ handover: LeaseHandover
    ) async throws(SharedStateError) -> Bool

    /// How a name stands.
    func status(of resource: String) async throws(SharedStateError) -> LeaseStatus

    /// The leases that are held.
    ///
    /// - Parameters:
    ///   - prefix: What their names begin with.
    ///   - principal: Whose, or everybody's.
    ///   - after: ``LeasePage/next`` of the page before.
    ///   - limit: The most of one page.
    /// - Returns: The page, which may be short although there are more.
    /// - Throws: ``SharedStateError`` if the store can't be reached.
    func leases(
        withPrefix prefix: String,
        of principal: String?,
        after: String?,
        limit: Int
    ) async throws(SharedStateError) -> LeasePage

    /// Takes note of leases that have expired, so that somebody can tell of it: each is given to one caller only.
    func takeExpired() async throws(SharedStateError) -> ExpiredLeases
}

/// What the holder of a lease leaves behind.
public struct LeaseHandover: Sendable, Hashable {
    public var note: String
    /// Whether somebody is to go on, rather than the work being done.
    public var isUnfinished: Bool
    /// For whom alone it is at first: a principal, or another agent of the same principal.
    public var heir: String?
    /// For how long it is for the heir alone.
    public var reservation: Duration

    /// Hands over.
    public init(note: String, to heir: String? = nil, reservation: Duration = .zero) {
        self.note = note
        self.isUnfinished = true
        self.heir = heir
        self.reservation = heir == nil ? .zero : reservation
    }

    /// Gives up; the note is for whoever claims it next.
    public static func release(note: String = "") -> Self {
        var handover = Self(note: note)
        handover.isUnfinished = false
        return handover
    }
}

/// What has expired since the last time.
public struct ExpiredLeases: Sendable {
    /// The names.
    public var resources: [String]
    /// How long until the next one does, if nothing changes; nothing if none is held.
    public var next: Duration?

    public init(_ resources: [String], next: Duration?) {
        self.resources = resources
        self.next = next
    }
}

/// How many leases there may be.
public struct LeaseLimits: Sendable {
    /// The most leases of one principal at a time.
    public var perPrincipal = 1000
    /// The most leases at a time.
    public var total = 100_000
    /// The most notes of leases that are over; the oldest go first.
    public var notes = 100_000
    /// How long such notes are kept.
    public var noteLifetime = Duration.seconds(86_400)

    public init() {}

    package static func tooManyOfPrincipal(_ count: Int) -> SharedStateError {
        SharedStateError(.full, "You hold \(count) leases, and may not have more.")
    }

    package static func tooMany(_ count: Int) -> SharedStateError {
        SharedStateError(.full, "There are \(count) leases; no more are given.")
    }
}
