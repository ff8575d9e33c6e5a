public import Foundation

/// How old a document may be before an answer calls it stale, by where it comes from.
public struct StalenessPolicy: Sendable, Hashable {
    /// The documents of some sources, and how old they may be.
    public struct Rule: Sendable, Hashable {
        public var sources: GlobPattern
        /// In seconds.
        public var maximumAge: TimeInterval

        /// Creates a rule.
        public init(sources: GlobPattern, maximumAge: TimeInterval) {
            self.sources = sources
            self.maximumAge = maximumAge
        }
    }

    /// The rules; the first whose pattern matches a source counts.
    public var rules: [Rule]

    /// Creates a policy; without rules, nothing is ever stale.
    public init(rules: [Rule] = []) {
        self.rules = rules
    }

    /// How old documents of a source may be, in seconds, or nothing if they may be of any age.
    public func maximumAge(ofSource source: String) -> TimeInterval? {
        self.rules.first { $0.sources.matches(source) }?.maximumAge
    }
}
