/// What `gantry doctor` found out about one part.
public struct Finding: Sendable, Hashable {
    public enum Verdict: String, Sendable {
        /// It works.
        case ok
        /// It is missing, and Gantry works with less.
        case notice
        /// It is configured and doesn't work.
        case broken
    }

    /// The part: `data directory`, `knowledge store`, `shared state`, `embedding model`, `Jira`.
    public var part: String
    public var verdict: Verdict
    /// What is the case, and what to do about it.
    public var message: String
}
