/// What leads to candidates.
public enum SearchMode: String, Sendable, Hashable, CaseIterable {
    /// Meaning and words.
    case hybrid
    /// Meaning alone.
    case dense
    /// Words alone.
    case lexical
}
