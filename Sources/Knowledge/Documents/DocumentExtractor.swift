/// Something that finds the documents in the bytes of a file.
public protocol DocumentExtractor: Sendable {
    /// Returns the documents of a file.
    ///
    /// A file that can't be read as a whole throws; where only some of its documents are bad, such as lines of a JSON
    /// Lines file, those are in `failures` and the others are returned. Extraction never occupies a thread of the
    /// cooperative pool, and its time, memory and output are bounded.
    ///
    /// - Parameters:
    ///   - bytes: The content of the file.
    ///   - path: Its path, from which the kind of file, the identifier and the source are taken.
    /// - Returns: The documents, and the parts of the file that are none.
    /// - Throws: A ``KnowledgeError`` that says what is wrong with the file, or ``KnowledgeError/Code/cancelled``.
    func documents(in bytes: [UInt8], path: String) async throws(KnowledgeError) -> ExtractedDocuments
}

/// What an extractor found in one file.
public struct ExtractedDocuments: Sendable {
    /// A part of the file that couldn't be read.
    public struct Failure: Sendable {
        /// Where the part is, for example `notes.jsonl:17`.
        public var source: String
        public var error: KnowledgeError

        /// Creates a failure.
        public init(source: String, error: KnowledgeError) {
            self.source = source
            self.error = error
        }
    }

    public var documents: [Document]
    public var failures: [Failure]

    /// Creates a result.
    public init(documents: [Document], failures: [Failure] = []) {
        self.documents = documents
        self.failures = failures
    }
}
