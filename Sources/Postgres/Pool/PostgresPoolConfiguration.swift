/// The limits of a pool of connections.
public struct PostgresPoolConfiguration: Sendable {
    /// How many connections are kept open when nobody needs them (`DATABASE_POOL_SIZE`).
    public var size = 20
    /// How many more may be open while they are needed (`DATABASE_MAX_OVERFLOW`).
    public var maxOverflow = 10
    /// How old a connection may get (`DATABASE_POOL_RECYCLE_SECONDS`).
    ///
    /// Up to a tenth less, at random, so that not all are replaced at once.
    public var recycle: Duration = .seconds(3600)
    /// How long a caller waits for a connection, the time to open or check one included.
    public var acquireTimeout: Duration = .seconds(5)
    /// A connection that was idle for longer than this is checked before it is used.
    public var checkAfter: Duration = .seconds(5)
    /// How long that check may take.
    public var checkTimeout: Duration = .seconds(1)
    /// How many callers may wait for a connection.
    ///
    /// One more is refused at once.
    public var maxWaiters = 1000

    /// Creates the configuration with the defaults.
    public init() {}
}
