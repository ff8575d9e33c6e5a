/// A part of a regular expression, as the parser understands it.
indirect enum PatternNode: Sendable {
    /// Matches nothing but the empty string.
    case empty
    /// Matches one scalar.
    case set(ScalarSet)
    /// Matches the parts one after the other.
    case sequence([PatternNode])
    /// Matches one of the parts; the earlier is tried first.
    case alternatives([PatternNode])
    /// Matches a part several times; `maximum` is `nil` where there is no bound.
    case quantified(PatternNode, minimum: Int, maximum: Int?, isGreedy: Bool)
    /// Matches a part and remembers what it matched.
    case group(PatternNode, index: Int)
    /// Matches what a group has matched.
    case backreference(Int)
    /// Matches at the start of the text.
    case start
    /// Matches at the end of the text.
    case end
    /// Matches between a word character and another, or where that is not so.
    case wordBoundary(isNegated: Bool)
    /// Matches where a part matches ahead or behind, or does not.
    case look(PatternNode, isBehind: Bool, isNegated: Bool)
}
