public import Foundation
public import JSON

/// Files that were handed in together and are ingested one after the other, across restarts.
public struct IngestJob: Sendable, Hashable {
    /// How far a job is.
    public enum State: String, Sendable, Hashable {
        /// Files still arrive, wait or are being ingested.
        case running
        /// Nothing is left to do. Files may have failed.
        case done
        /// It was cancelled: what was ingested before stays.
        case cancelled
    }

    public var id: String
    public var state: State
    public var createdAt: Date
    public var finishedAt: Date?
    /// How many files there are in each state.
    public var counts: [IngestItem.State: Int]

    /// Creates the description of a job.
    public init(
        id: String,
        state: State,
        createdAt: Date,
        finishedAt: Date?,
        counts: [IngestItem.State: Int]
    ) {
        self.id = id
        self.state = state
        self.createdAt = createdAt
        self.finishedAt = finishedAt
        self.counts = counts
    }
}

/// One file of a job.
public struct IngestItem: Sendable, Hashable {
    /// How far a file is.
    public enum State: String, Sendable, Hashable, CaseIterable {
        /// Its bytes arrive; a restart forgets it.
        case receiving
        /// Its bytes are kept durably, and it waits for a worker.
        case queued
        /// A worker ingests it.
        case running
        case done
        case failed
        case cancelled

        /// Whether nothing happens to it any more.
        public var isFinal: Bool { [.done, .failed, .cancelled].contains(self) }
    }

    /// A number that grows, by which the files of a job are in order.
    public var id: Int64
    /// The path under which the file is known in the index.
    public var path: String
    public var state: State
    public var byteCount: Int
    /// How often a worker has begun with it.
    public var attempts: Int
    public var outcome: IngestItemOutcome?

    /// Creates the description of a file.
    public init(
        id: Int64,
        path: String,
        state: State,
        byteCount: Int,
        attempts: Int,
        outcome: IngestItemOutcome?
    ) {
        self.id = id
        self.path = path
        self.state = state
        self.byteCount = byteCount
        self.attempts = attempts
        self.outcome = outcome
    }
}

/// What became of a file.
public struct IngestItemOutcome: Sendable, Hashable {
    /// Why a part of the file, or all of it, isn't in the index.
    public struct Failure: Sendable, Hashable {
        public var code: String
        public var message: String

        /// Creates a failure.
        public init(code: String, message: String) {
            self.code = code
            self.message = message
        }
    }

    /// The most failures that are kept of one file; a file of JSON Lines may have one a line.
    static let maximumFailures = 100

    /// The strongest thing that happened to its documents: added, updated, unchanged or failed.
    public var status: String
    public var documentCount: Int
    public var chunkCount: Int
    public var failures: [Failure]

    /// Whether nothing of the file is in the index.
    public var isFailed: Bool { self.status == "failed" }

    /// The outcome of a file that couldn't be ingested at all.
    public init(error: KnowledgeError) {
        self.status = "failed"
        self.documentCount = 0
        self.chunkCount = 0
        self.failures = [Failure(code: error.code.description, message: error.message)]
    }

    /// Sums up what became of the documents of a file.
    public init(results: [IngestResult]) {
        let names = Set(results.map(\.outcome.name))
        self.status = ["added", "updated", "unchanged"].first { names.contains($0) } ?? "failed"
        self.documentCount = results.count { ["added", "updated", "unchanged"].contains($0.outcome.name) }
        self.chunkCount = results.reduce(0) { $0 + $1.chunkCount }
        self.failures = results.lazy.compactMap { result in
            guard case .failed(let error) = result.outcome else { return nil }
            return Failure(code: error.code.description, message: error.message)
        }
        .prefix(Self.maximumFailures).map { $0 }
    }

    /// The outcome as stores keep it and answers show it.
    public var json: JSONObject {
        [
            "status": .string(self.status), "documents": .integer(self.documentCount),
            "chunks": .integer(self.chunkCount),
            "errors": .array(
                self.failures.map { ["code": .string($0.code), "message": .string($0.message)] }
            ),
        ]
    }

    /// Reads what ``json`` wrote.
    public init?(json: JSONValue) {
        guard let status = json["status"]?.stringValue, let documents = json["documents"]?.intValue,
            let chunks = json["chunks"]?.intValue, let errors = json["errors"]?.arrayValue
        else { return nil }
        self.status = status
        self.documentCount = documents
        self.chunkCount = chunks
        self.failures = errors.map {
            Failure(code: $0["code"]?.stringValue ?? "", message: $0["message"]?.stringValue ?? "")
        }
    }
}
