/// How a log record looks on its line.
public enum LogFormat: String, Sendable, CaseIterable {
    /// For people: time, level, logger, message, then `key=value` pairs.
    case text
    /// For programs: one JSON object per line.
    case json
}
