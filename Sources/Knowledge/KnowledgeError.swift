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
