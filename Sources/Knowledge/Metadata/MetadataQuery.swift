public import JSON

/// Which documents to list, by their fields and metadata, in which order.
public struct MetadataQuery: Sendable, Hashable {
    /// Something of a document that can be compared and sorted by.
    public enum Field: Sendable, Hashable {
        /// A string.
        case id, source, title
        /// An integer.
        case chunkCount
        /// A time as `2026-11-23T08:00:00Z`, compared as a string, so that `2026-11-23` is its beginning.
        case createdAt, indexedAt, sourceUpdatedAt
        /// A value of the metadata.
        case metadata(MetadataPath)

        private static let names: [(String, Field)] = [
            ("id", .id), ("source", .source), ("title", .title), ("chunk_count", .chunkCount),
            ("created_at", .createdAt), ("indexed_at", .indexedAt), ("source_updated_at", .sourceUpdatedAt),
        ]

        /// The names of the fields other than metadata.
        public static var fixedNames: [String] { Self.names.map(\.0) }

        /// Reads a name such as `source` or `metadata.team.name`.
        ///
        /// - Throws: ``KnowledgeError/Code/invalidArguments`` if there is no such field.
        public init(_ name: String) throws(KnowledgeError) {
            if let field = Self.names.first(where: { $0.0 == name })?.1 {
                self = field
            } else if name.hasPrefix("metadata.") {
                self = .metadata(try MetadataPath(String(name.dropFirst("metadata.".count))))
            } else {
                throw KnowledgeError(
                    .invalidArguments,
                    "There is no field \(name.prefix(64)). Fields are \(Self.fixedNames.joined(separator: ", ")), and "
                        + "metadata. followed by a key, such as metadata.team."
                )
            }
        }
    }

    /// What a document has to fulfil.
    public indirect enum Predicate: Sendable, Hashable {
        /// All of these; without any, everything.
        case all([Predicate])
        /// At least one of these.
        case any([Predicate])
        case not(Predicate)
        case compare(Field, MetadataCondition.Comparison, JSONValue)
    }

    /// One key of the order.
    public struct SortKey: Sendable, Hashable {
        public var field: Field
        public var isDescending: Bool

        /// Creates a key.
        public init(_ field: Field, isDescending: Bool = false) {
            self.field = field
            self.isDescending = isDescending
        }
    }

    /// How deeply predicates may be nested.
    public static let maximumDepth = 5
    /// How many comparisons there may be in all.
    public static let maximumComparisons = 32
    /// How many documents one query gives.
    public static let maximumLimit = 200
    /// How many documents may be skipped.
    public static let maximumOffset = 10_000

    public var predicate: Predicate
    /// At most 3.
    ///
    /// Numbers come before strings, those before truth values; documents without the value come last. Equal
    /// ones are in the order of their identifiers.
    public var sort: [SortKey]
    public var offset: Int
    /// 0 to count only.
    public var limit: Int
    /// What the reader may see.
    public var labels: AccessLabels

    /// Creates a query.
    public init(
        _ predicate: Predicate = .all([]),
        sort: [SortKey] = [],
        offset: Int = 0,
        limit: Int = 50,
        labels: AccessLabels = .all
    ) {
        self.predicate = predicate
        self.sort = sort
        self.offset = offset
        self.limit = limit
        self.labels = labels
    }

    /// Makes sure that the query is within its limits; stores call it first.
    ///
    /// - Throws: ``KnowledgeError/Code/invalidArguments`` with the limit.
    public func check() throws(KnowledgeError) {
        guard (0...Self.maximumLimit).contains(self.limit) else {
            throw KnowledgeError(
                .invalidArguments,
                "limit is \(self.limit); give a number from 0 to \(Self.maximumLimit)."
            )
        }
        guard (0...Self.maximumOffset).contains(self.offset) else {
            throw KnowledgeError(
                .invalidArguments,
                "Only the first \(Self.maximumOffset) documents can be paged through; narrow the conditions."
            )
        }
        guard self.sort.count <= 3 else {
            throw KnowledgeError(.invalidArguments, "There may be 3 sort keys; there are \(self.sort.count).")
        }
        var comparisons = 0
        try Self.check(self.predicate, depth: 1, &comparisons)
        guard comparisons <= Self.maximumComparisons else {
            throw KnowledgeError(
                .invalidArguments,
                "There may be \(Self.maximumComparisons) comparisons; there are \(comparisons)."
            )
        }
    }

    private static func check(
        _ predicate: Predicate,
        depth: Int,
        _ comparisons: inout Int
    ) throws(KnowledgeError) {
        guard depth <= Self.maximumDepth else {
            throw KnowledgeError(.invalidArguments, "Conditions may be nested \(Self.maximumDepth) deep.")
        }
        switch predicate {
        case .all(let parts), .any(let parts):
            for part in parts { try Self.check(part, depth: depth + 1, &comparisons) }
        case .not(let part):
            try Self.check(part, depth: depth + 1, &comparisons)
        case .compare(let field, let comparison, let value):
            comparisons += 1
            // The values follow the same rules whatever they are compared with.
            let path: MetadataPath
            if case .metadata(let own) = field { path = own } else { path = try MetadataPath("field") }
            _ = try MetadataCondition(path, comparison, value)
        }
    }
}

/// The documents that a metadata query found.
public struct MetadataPage: Sendable, Hashable {
    public var documents: [DocumentSummary]
    /// How many there are in all.
    public var totalCount: Int
    /// The generation of the store; when it changes between pages, documents may be missing or come twice.
    public var generation: Int64

    /// Creates a page.
    public init(documents: [DocumentSummary], totalCount: Int, generation: Int64) {
        self.documents = documents
        self.totalCount = totalCount
        self.generation = generation
    }
}

/// A store that documents can be selected from by their fields and metadata.
public protocol MetadataStore: Sendable {
    /// Returns the documents that a query selects, and how many there are, in one snapshot.
    ///
    /// - Throws: ``KnowledgeError/Code/invalidArguments`` if the query is beyond its limits.
    func select(_ query: MetadataQuery) async throws(KnowledgeError) -> MetadataPage
}
