import JSON

/// A labelled collection: documents, questions, and which documents answer which question.
public struct EvaluationSet: Sendable {
    /// A question of the collection.
    public struct Query: Sendable, Hashable {
        public var id: String
        public var text: String

        /// Creates a question.
        public init(id: String, text: String) {
            self.id = id
            self.text = text
        }
    }

    public var documents: [Document]
    public var queries: [Query]

    /// The relevance of documents, by query and document; 0 and less mean that the document is no answer.
    public var judgements: [String: [String: Int]]

    /// The patterns among the relevant documents, by query.
    private var patterns: [String: [(String, GlobPattern)]] = [:]

    /// Creates a collection.
    public init(documents: [Document], queries: [Query], judgements: [String: [String: Int]]) {
        self.documents = documents
        self.queries = queries
        self.judgements = judgements
    }

    /// Reads a collection from the contents of its three files.
    ///
    /// - Parameters:
    ///   - corpus: JSON Lines with `id`, `title` and `text`; lines with the same `doc` are consecutive parts of one file.
    ///   - queries: JSON Lines with `id` and `text`.
    ///   - qrels: Lines of query, document and relevance, or of query, 0, document and relevance, separated by tabs or
    ///     spaces, after an optional heading.
    /// - Throws: ``KnowledgeError/Code/malformed`` with the number of the line.
    public init(corpus: [UInt8], queries: [UInt8], qrels: [UInt8]) throws(KnowledgeError) {
        var documents: [Document] = []
        var files: [String?] = []
        try Self.forEachObject(in: corpus, file: "corpus") { id, line in
            documents.append(Document(id: id, title: line["title"]?.stringValue ?? "", text: line.text))
            files.append(line["doc"]?.stringValue)
        }
        documents = Document.linked(documents, partsOf: files)
        var questions: [Query] = []
        try Self.forEachObject(in: queries, file: "queries") { id, line in
            questions.append(Query(id: id, text: line.text))
        }
        self.init(documents: documents, queries: questions, judgements: try Self.judgements(in: qrels))
    }

    /// Reads a team's own questions, to be asked to the knowledge base as it is.
    ///
    /// - Parameter bytes: JSON Lines with `question`, with `relevant`, a list of what answers it (document
    ///   identifiers, sources, or patterns for sources such as `docs/keys/**`), and optionally with `id`.
    /// - Throws: ``KnowledgeError/Code/malformed`` with the number of the line.
    public init(questions bytes: [UInt8]) throws(KnowledgeError) {
        self.init(documents: [], queries: [], judgements: [:])
        for (index, line) in TextLines(bytes: bytes).enumerated() where !line.isBlank {
            let number = index + 1
            let value: JSONValue
            do {
                value = try JSONValue(parsing: Array(bytes[line.span]))
            } catch {
                throw KnowledgeError(.malformed, "Line \(number) of the questions is not JSON: \(error.message)")
            }
            let relevant = (value["relevant"]?.arrayValue ?? []).compactMap(\.stringValue)
            guard let text = value["question"]?.stringValue, !relevant.isEmpty,
                relevant.count == value["relevant"]?.arrayValue?.count
            else {
                throw KnowledgeError(
                    .malformed,
                    "Line \(number) of the questions needs question, a string, and relevant, a list of strings."
                )
            }
            let id = value["id"]?.stringValue ?? "line-\(number)"
            guard self.judgements[id] == nil else {
                throw KnowledgeError(.malformed, "Line \(number) of the questions has an id that came before: \(id)")
            }
            self.queries.append(Query(id: id, text: text))
            self.judgements[id] = Dictionary(relevant.map { ($0, 1) }, uniquingKeysWith: max)
            var patterns: [(String, GlobPattern)] = []
            for name in relevant where name.contains("*") || name.contains("?") {
                patterns.append((name, try GlobPattern(name)))
            }
            if !patterns.isEmpty { self.patterns[id] = patterns }
        }
    }

    /// What a result counts as in the judgements of a question: the identifier of its document, or what stands there for
    /// it.
    func name(of result: SearchResult, for query: String) -> String {
        guard let judgements = self.judgements[query], judgements[result.documentID] == nil else {
            return result.documentID
        }
        if judgements[result.source] != nil { return result.source }
        return self.patterns[query]?.first { $0.1.matches(result.source) }?.0 ?? result.documentID
    }

    private static func forEachObject(
        in bytes: [UInt8],
        file: String,
        _ body: (String, JSONValue) -> Void
    ) throws(KnowledgeError) {
        for (number, line) in TextLines(bytes: bytes).enumerated() where !line.isBlank {
            let value: JSONValue
            do {
                value = try JSONValue(parsing: Array(bytes[line.span]))
            } catch {
                throw KnowledgeError(.malformed, "Line \(number + 1) of the \(file) is not JSON: \(error.message)")
            }
            guard let id = value["id"]?.stringValue, value["text"]?.stringValue != nil else {
                throw KnowledgeError(.malformed, "Line \(number + 1) of the \(file) needs the strings id and text.")
            }
            body(id, value)
        }
    }

    private static func judgements(in bytes: [UInt8]) throws(KnowledgeError) -> [String: [String: Int]] {
        var judgements: [String: [String: Int]] = [:]
        for (number, line) in TextLines(bytes: bytes).enumerated() where !line.isBlank {
            let text = String(decoding: bytes[line.span], as: UTF8.self)
            let columns =
                text.contains("\t")
                ? text.split(separator: "\t", omittingEmptySubsequences: false) : text.split(separator: " ")
            guard columns.count == 3 || columns.count == 4 else {
                throw KnowledgeError(.malformed, "Line \(number + 1) of the judgements has \(columns.count) columns.")
            }
            guard let relevance = Double(columns[columns.count - 1]).flatMap({ Int(exactly: $0.rounded(.towardZero)) })
            else {
                if number == 0 { continue }
                throw KnowledgeError(.malformed, "Line \(number + 1) of the judgements doesn't end in a number.")
            }
            let query = String(columns[0])
            let document = String(columns[columns.count - 2])
            judgements[query, default: [:]][document] = max(relevance, judgements[query]?[document] ?? relevance)
        }
        return judgements.filter { $0.value.values.contains { $0 > 0 } }
    }
}

extension JSONValue {
    fileprivate var text: String { self["text"]?.stringValue ?? "" }
}
