/// Events in the order in which they happened, kept for a while so that a reader who was cut off can go on.
public protocol EventLog: Sendable {
    /// Appends an event to a stream, which comes to be with its first one.
    ///
    /// The oldest events go when there are too many. The stream is kept for `lifetime` after its last event.
    ///
    /// - Returns: The event's number; the first is 1.
    func append(
        _ event: [UInt8],
        to stream: String,
        isLast: Bool,
        lifetime: Duration
    ) async throws(SharedStateError) -> Int

    /// Keeps a stream for `lifetime` from now on, although nothing happens in it.
    ///
    /// Nothing happens if there is no such stream.
    func extend(_ stream: String, lifetime: Duration) async throws(SharedStateError)

    /// The events after a number, as soon as there are any.
    ///
    /// - Parameters:
    ///   - stream: The stream.
    ///   - sequence: The number of the last event that the reader has.
    ///   - wait: How long to wait if there are none yet.
    /// - Returns: The events, oldest first; nothing if there is no such stream.
    /// - Throws: ``SharedStateError`` if the log can't be read.
    func events(
        in stream: String,
        after sequence: Int,
        waitingFor wait: Duration
    ) async throws(SharedStateError) -> LoggedEvents?
}

/// What was read of a stream.
public struct LoggedEvents: Sendable {
    /// The number and the content of each event.
    public var events: [(sequence: Int, event: [UInt8])]
    /// Whether the stream ends after these.
    public var isLast: Bool
    /// Whether events are missing before these, because the log did not keep them.
    public var hasGap: Bool

    public init(events: [(sequence: Int, event: [UInt8])], isLast: Bool, hasGap: Bool) {
        self.events = events
        self.isLast = isLast
        self.hasGap = hasGap
    }
}
