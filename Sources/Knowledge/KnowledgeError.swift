/// An error thrown by the knowledge base, its store or its extractors.
public struct KnowledgeError: Error, Sendable {
    /// The kind of failure, for callers that want to react to it.
    public struct Code: Hashable, Sendable, CustomStringConvertible {
        /// The name of the code in answers and logs, for example `model_mismatch`.
        public let description: String

        private init(_ description: String) { self.description = description }

        /// The query, an identifier or a limit that the caller gave makes no sense.
        public static let invalidArguments = Self("invalid_arguments")
        /// The index holds vectors of another embedding model.
        public static let modelMismatch = Self("model_mismatch")
        /// The embedder failed, or answered with vectors of the wrong shape.
        public static let embeddingFailed = Self("embedding_failed")
        /// The index would hold more vectors than it may keep in memory.
        public static let tooManyVectors = Self("too_many_vectors")
        /// The document would be split into more chunks than allowed.
        public static let tooManyChunks = Self("too_many_chunks")
        /// The file, or one line of it, has more bytes than allowed.
        public static let tooLarge = Self("too_large")
        /// A line of the file has more bytes than allowed.
        public static let lineTooLong = Self("line_too_long")
        /// The file has more lines than allowed.
        public static let tooManyLines = Self("too_many_lines")
        /// The file holds more pages, entries or documents than allowed.
        public static let tooManyParts = Self("too_many_parts")
        /// The compressed file would become too large, or grows more than any honest file does.
        public static let expandsTooMuch = Self("expands_too_much")
        /// The file can only be read with a password.
        public static let encrypted = Self("encrypted")
        /// Reading the file took more time than allowed.
        public static let tookTooLong = Self("took_too_long")
        /// The program that reads this kind of file isn't there, or ended without an answer, for example because it ran
        /// out of the memory that it may use.
        public static let extractionFailed = Self("extraction_failed")
        /// The markup is nested more deeply than allowed.
        public static let tooDeep = Self("too_deep")
        /// The file isn't of a kind that can be read.
        public static let unsupportedFormat = Self("unsupported_format")
        /// The file isn't text in UTF-8, or its name promises another kind of content.
        public static let invalidText = Self("invalid_text")
        /// The file says that it is of a format whose rules it breaks.
        public static let malformed = Self("malformed")
        /// The document holds neither a title nor text.
        public static let emptyDocument = Self("empty_document")
        /// The file couldn't be read from where it is.
        public static let unreadable = Self("unreadable")
        /// The store's file was made by a newer version of this program.
        public static let newerSchema = Self("newer_schema")
        /// The store couldn't be read or written.
        public static let storeFailed = Self("store_failed")
        /// The task was cancelled; documents that were reported before stay.
        public static let cancelled = Self("cancelled")
        /// So much waits to be ingested that no more is taken in; it is worth trying again later.
        public static let queueFull = Self("queue_full")

        private static let all: [Code] = [
            invalidArguments, modelMismatch, embeddingFailed, tooManyVectors, tooManyChunks, tooLarge, lineTooLong,
            tooManyLines, tooManyParts, expandsTooMuch, encrypted, tookTooLong, extractionFailed, tooDeep,
            unsupportedFormat, invalidText, malformed, emptyDocument, unreadable, newerSchema, storeFailed, cancelled,
            queueFull,
        ]

        /// Finds a code by its name, as it was kept or sent.
        public init?(named name: String) {
            guard let code = Self.all.first(where: { $0.description == name }) else { return nil }
            self = code
        }
    }

    public var code: Code

    /// What happened and what to do about it, fit to be shown to the caller.
    public var message: String

    /// What failed underneath, for logs only.
    public var cause: (any Error)?

    /// Creates an error.
    public init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }
}

extension KnowledgeError: CustomStringConvertible {
    public var description: String { "\(self.code): \(self.message)" }
}
