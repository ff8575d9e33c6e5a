/// What a parser accepts at most.
public struct JSONLimits: Sendable, Hashable {
    /// What to do with a key that comes twice in one object, which RFC 8259, section 4, leaves open.
    public enum DuplicateKeys: Sendable, Hashable {
        /// The last value replaces the ones before it, as in ECMAScript.
        case lastWins
        /// The text is refused.
        case reject
    }

    /// The deepest nesting that any parser accepts: values are walked recursively, and the stack of a thread is finite.
    public static let greatestDepth = 1024

    /// How many arrays and objects may be open at once, at most ``greatestDepth``.
    public var maximumDepth: Int {
        didSet { self.maximumDepth = min(self.maximumDepth, Self.greatestDepth) }
    }
    /// How many bytes the text may have.
    public var maximumBytes: Int
    /// What to do with a key that comes twice in one object.
    public var duplicateKeys: DuplicateKeys

    /// Creates limits.
    ///
    /// - Parameters:
    ///   - maximumDepth: How many arrays and objects may be open at once; more than ``greatestDepth`` counts as that.
    ///   - maximumBytes: How many bytes the text may have; 16 MiB unless told otherwise.
    ///   - duplicateKeys: What to do with a key that comes twice in one object.
    public init(maximumDepth: Int = 128, maximumBytes: Int = 16 << 20, duplicateKeys: DuplicateKeys = .lastWins) {
        self.maximumDepth = min(maximumDepth, Self.greatestDepth)
        self.maximumBytes = maximumBytes
        self.duplicateKeys = duplicateKeys
    }

    /// 128 levels, 16 MiB, and the last of several equal keys wins.
    public static let `default` = JSONLimits()
}
