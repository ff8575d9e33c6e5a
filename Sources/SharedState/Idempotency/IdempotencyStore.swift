/// Remembers what became of operations that must be carried out once, however often they are asked for.
///
/// An operation is begun by one attempt, which keeps a lease on it while it works. When the attempt is done it leaves its
/// answer, which all later ones get. When its lease runs out before that, because its process died, nobody knows whether
/// the operation was carried out.
public protocol IdempotencyStore: Sendable {
    /// Begins an operation, unless it was begun before.
    ///
    /// - Parameters:
    ///   - key: Which operation.
    ///   - fingerprint: Tells requests apart that use one key.
    ///   - attempt: Who begins it: anything that nobody else uses.
    ///   - lease: How long the attempt may go on without ``keep(_:attempt:lease:)``.
    ///   - mayRepeat: Whether to begin anew what an earlier attempt left unfinished.
    /// - Returns: Whether it has begun, or else what became of it before.
    /// - Throws: ``SharedStateError`` with the code ``SharedStateError/Code/full`` when the owner, or all together, have
    ///   as many operations remembered as is allowed.
    func begin(
        _ key: IdempotencyKey,
        fingerprint: [UInt8],
        attempt: String,
        lease: Duration,
        mayRepeat: Bool
    ) async throws(SharedStateError) -> IdempotencyState

    /// Goes on with an attempt.
    ///
    /// - Returns: Whether it is still the one that counts.
    func keep(_ key: IdempotencyKey, attempt: String, lease: Duration) async throws(SharedStateError) -> Bool

    /// Leaves the answer of an operation, which is remembered until a day after it was begun.
    ///
    /// - Returns: Whether the attempt is still the one that counts.
    func finish(_ key: IdempotencyKey, attempt: String, answer: [UInt8]) async throws(SharedStateError) -> Bool

    /// Ends an attempt of which nobody knows what it has done.
    func abandon(_ key: IdempotencyKey, attempt: String) async throws(SharedStateError)

    /// Forgets an operation that was not carried out, so that it can be begun anew.
    func forget(_ key: IdempotencyKey, attempt: String) async throws(SharedStateError)
}

/// Names an operation.
public struct IdempotencyKey: Sendable, Hashable {
    /// Whose it is: one owner's keys say nothing about another's.
    public var owner: String
    public var name: String

    public init(owner: String, name: String) {
        self.owner = owner
        self.name = name
    }
}

/// How an operation stands.
public enum IdempotencyState: Sendable, Hashable {
    /// The attempt has begun it, and is to carry it out.
    case begun
    /// Another attempt is at work.
    case running
    /// Another attempt has ended without an answer.
    case abandoned
    /// It was carried out, with this answer.
    case finished([UInt8])
    /// The key was used for another request.
    case otherRequest
}

/// How many operations are remembered.
public struct IdempotencyLimits: Sendable {
    /// How long, from their beginning.
    public var lifetime = Duration.seconds(86_400)
    /// The most of one owner.
    public var perOwner = 10_000
    /// The most in the memory of one process.
    public var total = 100_000
    /// The most bytes of answers in the memory of one process.
    public var bytes = 64 << 20

    public init() {}

    package static func tooMany(_ count: Int) -> SharedStateError {
        SharedStateError(.full, "\(count) keys were used within a day, and no more can be remembered.")
    }
}
