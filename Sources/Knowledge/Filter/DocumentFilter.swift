public import Foundation

/// Which documents a search or a list is about.
///
/// A document has to meet all of it. Stores apply it in the database, before anything is ranked or cut off.
public struct DocumentFilter: Sendable, Hashable {
    /// Patterns for ``Document/source``, one of which has to match; none for any source.
    ///
    /// At most 32.
    public var sources: [GlobPattern]

    /// Conditions on the metadata, all of which have to hold.
    ///
    /// At most 16.
    public var metadata: [MetadataCondition]

    /// The time since which the source was last changed or, where that isn't known, since which it was indexed.
    public var updatedAfter: Date?

    /// The labels that the reader holds.
    ///
    /// At most 1,000.
    public var labels: AccessLabels

    /// Creates a filter; without arguments it lets everything through.
    public init(
        sources: [GlobPattern] = [],
        metadata: [MetadataCondition] = [],
        updatedAfter: Date? = nil,
        labels: AccessLabels = .all
    ) {
        self.sources = sources
        self.metadata = metadata
        self.updatedAfter = updatedAfter
        self.labels = labels
    }

    /// Whether every document passes.
    public var isEmpty: Bool {
        self.sources.isEmpty && self.metadata.isEmpty && self.updatedAfter == nil && self.labels == .all
    }

    /// Makes sure that the filter is within its limits; stores call it before they use one.
    ///
    /// - Throws: ``KnowledgeError/Code/invalidArguments`` with the limit.
    public func check() throws(KnowledgeError) {
        guard self.sources.count <= 32 else {
            throw KnowledgeError(
                .invalidArguments,
                "A filter may have 32 source patterns; it has \(self.sources.count)."
            )
        }
        guard self.metadata.count <= 16 else {
            throw KnowledgeError(
                .invalidArguments,
                "A filter may have 16 metadata conditions; it has \(self.metadata.count)."
            )
        }
        if case .only(let held) = self.labels, held.count > 1000 {
            throw KnowledgeError(.invalidArguments, "A reader may hold 1000 access labels; there are \(held.count).")
        }
        for condition in self.metadata { try condition.check() }
    }
}
