/// Who holds a lease.
public struct LeaseHolder: Sendable, Hashable {
    /// On whose behalf the work is done: nobody else can renew or end the lease.
    public var principal: String
    /// Which of the principal's agents does it, as that agent calls itself.
    public var agent: String?

    public init(principal: String, agent: String? = nil) {
        self.principal = principal
        self.agent = agent
    }
}

/// The right to be the only one who works on something, until it expires.
public struct Lease: Sendable, Hashable {
    /// On what.
    public var resource: String
    public var holder: LeaseHolder
    /// The fencing token: greater than that of every lease that anybody had on the resource before.
    ///
    /// Whoever guards the resource refuses a token that is less than one it has seen, so that a holder who was
    /// paused for longer than its lease can't undo what came after.
    public var token: Int
    /// What the holder says about the work.
    public var note: String
    /// How much time is left.
    public var remaining: Duration

    public init(resource: String, holder: LeaseHolder, token: Int, note: String, remaining: Duration) {
        self.resource = resource
        self.holder = holder
        self.token = token
        self.note = note
        self.remaining = remaining
    }
}

/// A lease that is over, for whoever comes next.
public struct FormerLease: Sendable, Hashable {
    /// How it ended.
    public enum End: String, Sendable, Hashable {
        /// Nobody renewed it.
        case expired
        /// Its holder gave it up.
        case released
        /// Its holder gave it up for somebody else to go on.
        case handedOver = "handed_over"
    }

    public var holder: LeaseHolder
    /// What the holder said last.
    public var note: String
    public var end: End
    /// For whom it was meant, if for somebody: a principal, or another agent of the same principal.
    public var heir: String?

    public init(holder: LeaseHolder, note: String, end: End, heir: String? = nil) {
        self.holder = holder
        self.note = note
        self.end = end
        self.heir = heir
    }

    /// Whether it was meant for a holder.
    func isMeant(for holder: LeaseHolder) -> Bool {
        guard let heir else { return true }
        return heir == holder.principal || (heir == holder.agent && self.holder.principal == holder.principal)
    }
}

/// What became of a claim.
public enum LeaseClaim: Sendable, Hashable {
    /// It is yours; what the one before left behind, if it left a note.
    case granted(Lease, after: FormerLease?)
    /// Somebody has it.
    case held(Lease)
    /// It was handed over to somebody else, who may take it up for that long.
    case reserved(FormerLease, remaining: Duration)
}

/// How a resource stands.
public enum LeaseStatus: Sendable, Hashable {
    /// Somebody has it.
    case held(Lease)
    /// Nobody has it; what the last one left behind, if it left a note.
    case free(FormerLease?)
    /// Only its heir can claim it, for that long.
    case reserved(FormerLease, remaining: Duration)
}

/// Some of the leases, in the order of the bytes of their names.
public struct LeasePage: Sendable {
    public var leases: [Lease]
    /// The name to go on after, or nothing if there are no more.
    public var next: String?

    public init(_ leases: [Lease], next: String?) {
        self.leases = leases
        self.next = next
    }
}
