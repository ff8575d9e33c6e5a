/// What became of one document of an ingestion.
public struct IngestResult: Sendable {
    /// What happened to the document.
    public enum Outcome: Sendable {
        case added
        case updated
        /// The index already holds exactly this; no work was done.
        case unchanged
        /// The file that the document came from no longer holds it, so the index doesn't either.
        case removed
        /// The document isn't indexed; what was there under its identifier before still is.
        case failed(KnowledgeError)

        /// The name of the outcome in answers and logs.
        public var name: String {
            switch self {
            case .added: "added"
            case .updated: "updated"
            case .unchanged: "unchanged"
            case .removed: "removed"
            case .failed: "failed"
            }
        }
    }

    /// The document, or nothing if the file failed before documents were found in it.
    public var documentID: String?

    /// The path or address, with a line number where it is known.
    public var source: String
    public var outcome: Outcome

    /// How many chunks were written.
    public var chunkCount: Int

    /// The position among the given files of the one that the document came from, or nothing if documents were given.
    public var file: Int?

    /// Creates a result.
    public init(documentID: String?, source: String, outcome: Outcome, chunkCount: Int = 0, file: Int? = nil) {
        self.documentID = documentID
        self.source = source
        self.outcome = outcome
        self.chunkCount = chunkCount
        self.file = file
    }
}

/// What became of the documents of one ingestion.
public struct IngestReport: Sendable {
    /// One result per document, and per file or line that failed, in the order in which they were settled.
    public internal(set) var results: [IngestResult] = []

    public internal(set) var addedCount = 0
    public internal(set) var updatedCount = 0
    public internal(set) var unchangedCount = 0
    public internal(set) var removedCount = 0
    public internal(set) var failedCount = 0

    /// How many chunks the model read.
    public internal(set) var embeddedCount = 0
    /// How many chunks needed no model, because the index or the same ingestion had their text already.
    public internal(set) var reusedCount = 0

    /// Creates a report on nothing.
    public init() {}

    /// Adds what another ingestion did.
    public mutating func add(_ other: IngestReport) {
        for result in other.results { self.record(result) }
        self.embeddedCount += other.embeddedCount
        self.reusedCount += other.reusedCount
    }

    mutating func record(_ result: IngestResult) {
        switch result.outcome {
        case .added: self.addedCount += 1
        case .updated: self.updatedCount += 1
        case .unchanged: self.unchangedCount += 1
        case .removed: self.removedCount += 1
        case .failed: self.failedCount += 1
        }
        self.results.append(result)
    }
}

/// How far an ingestion is.
public struct IngestProgress: Sendable {
    /// What was settled just now.
    public var result: IngestResult
    /// How many files, or documents when documents were given, are settled.
    public var done: Int
    /// How many there are in all.
    public var total: Int
}
