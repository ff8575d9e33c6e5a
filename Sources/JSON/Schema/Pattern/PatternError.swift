/// Why a regular expression is not accepted.
struct PatternError: Error, Sendable {
    var message: String
    /// Whether the pattern is well-formed but has too many parts.
    var isTooLarge = false
}
