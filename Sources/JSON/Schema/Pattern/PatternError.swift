/// Why a regular expression is not accepted.
struct PatternError: Error, Sendable {
    var message: String
}
