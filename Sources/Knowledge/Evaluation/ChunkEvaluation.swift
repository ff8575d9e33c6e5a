/// Measures chunks by how exactly what is retrieved covers the passages that answer a question.
///
/// Recall is the share of the answering text that is retrieved, precision the share of the retrieved text that answers,
/// and IoU (intersection over union) counts both, each as a mean over the questions, by bytes; after Smith and Troynikov,
/// "Evaluating Chunking Strategies for Retrieval" (2024).
public struct ChunkEvaluation: Sendable {
    /// What an evaluation gave.
    public struct Report: Sendable {
        public var chunkCount: Int
        public var queryCount: Int
        public var recall: Double
        public var precision: Double
        public var iou: Double
        /// How much text the answer to a question has, on average.
        public var bytesPerQuery: Double
    }

    /// How documents are cut.
    public enum Cut: Sendable, Hashable {
        /// By their structure, as the knowledge base does it.
        case structure
        /// Into windows of so many tokens, whatever they cut through, for comparison.
        case windows(tokens: Int)
    }

    /// How many passages are retrieved for each question.
    public static let depth = 5

    private let base: KnowledgeBase

    /// Creates an evaluation.
    ///
    /// - Parameter base: A knowledge base whose store is empty, with the chunking that is to be measured; for windows,
    ///   with room for a window in one chunk.
    public init(base: KnowledgeBase) { self.base = base }

    /// Ingests the documents, asks every question, and compares what comes back with what answers it.
    ///
    /// - Throws: A ``KnowledgeError`` if a document or a query fails.
    public func run(_ set: ChunkEvaluationSet, cut: Cut) async throws(KnowledgeError) -> Report {
        var offsets: [String: Int] = [:]
        let documents = self.documents(of: set, cut: cut, offsets: &offsets)
        for result in try await self.base.ingest(documents).results {
            if case .failed(let error) = result.outcome, error.code != .emptyDocument { throw error }
        }
        var sums = (recall: 0.0, precision: 0.0, iou: 0.0, bytes: 0)
        for query in set.queries {
            var found: [String: [Range<Int>]] = [:]
            var retrieved = 0
            let answer = try await self.base.query(query.text, topK: Self.depth)
            for result in answer.results {
                let name = String(result.documentID.split(separator: "\u{1F}")[0])
                let offset = offsets[result.documentID] ?? 0
                found[name, default: []].append(result.span.lowerBound + offset..<result.span.upperBound + offset)
                retrieved += result.span.count
            }
            let wanted = query.spans.reduce(0) { $0 + $1.range.count }
            let common = query.spans.reduce(0) { sum, span in
                sum + Self.covered(span.range, by: found[span.document] ?? [])
            }
            sums.recall += wanted > 0 ? Double(common) / Double(wanted) : 0
            sums.precision += retrieved > 0 ? Double(common) / Double(retrieved) : 0
            sums.iou += Double(common) / Double(max(1, retrieved + wanted - common))
            sums.bytes += retrieved
        }
        let count = Double(max(1, set.queries.count))
        return Report(
            chunkCount: try await self.base.status().store.chunkCount,
            queryCount: set.queries.count,
            recall: sums.recall / count,
            precision: sums.precision / count,
            iou: sums.iou / count,
            bytesPerQuery: Double(sums.bytes) / count
        )
    }

    /// The documents as they are, or one for each window, whose place is noted.
    private func documents(of set: ChunkEvaluationSet, cut: Cut, offsets: inout [String: Int]) -> [Document] {
        guard case .windows(let size) = cut else { return set.documents }
        var windows: [Document] = []
        for document in set.documents {
            let spans =
                self.base.embedder?.tokenSpans(of: document.text)
                ?? ApproximateTokenizer.tokenSpans(of: document.text)
            for start in stride(from: 0, to: spans.count, by: size) {
                let range = spans[start].lowerBound..<spans[min(start + size, spans.count) - 1].upperBound
                guard let text = document.text.slice(utf8: range) else { continue }
                let id = "\(document.id)\u{1F}\(start)"
                offsets[id] = range.lowerBound
                windows.append(Document(id: id, text: text, blocks: [Block(.paragraph, span: 0..<text.utf8.count)]))
            }
        }
        return windows
    }

    /// How many bytes of a range lie in any of some others.
    private static func covered(_ range: Range<Int>, by others: [Range<Int>]) -> Int {
        var count = 0
        var position = range.lowerBound
        for other in others.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            let lower = max(position, other.lowerBound)
            let upper = min(range.upperBound, other.upperBound)
            guard lower < upper else { continue }
            count += upper - lower
            position = upper
        }
        return count
    }
}

/// Documents and questions with the exact spans that answer them.
public struct ChunkEvaluationSet: Sendable {
    /// A part of a document that answers a question.
    public struct Span: Sendable, Hashable {
        public var document: String
        /// In UTF-8 byte offsets.
        public var range: Range<Int>
    }

    /// A question with what answers it.
    public struct Query: Sendable, Hashable {
        public var text: String
        public var spans: [Span]
    }

    public var documents: [Document]
    public var queries: [Query]

    /// Reads a collection from the contents of its three files.
    ///
    /// - Parameters:
    ///   - documents: JSON Lines with `id` and `text`.
    ///   - queries: JSON Lines with `id` and `text`.
    ///   - spans: Lines of query, document, start and end in Unicode code points, separated by tabs, after a heading.
    /// - Throws: ``KnowledgeError/Code/malformed`` with the number of the line.
    public init(documents: [UInt8], queries: [UInt8], spans: [UInt8]) throws(KnowledgeError) {
        let set = try EvaluationSet(corpus: documents, queries: queries, qrels: [])
        var texts: [String: String] = [:]
        for document in set.documents { texts[document.id] = document.text }
        var byQuery: [String: [Span]] = [:]
        for (number, line) in TextLines(bytes: spans).enumerated() where number > 0 && !line.isBlank {
            let columns = String(decoding: spans[line.span], as: UTF8.self).split(separator: "\t").map(String.init)
            guard columns.count == 4, let start = Int(columns[2]), let end = Int(columns[3]), 0 <= start, start < end,
                let text = texts[columns[1]], let range = Self.bytes(of: start..<end, in: text)
            else { throw KnowledgeError(.malformed, "Line \(number + 1) of the spans names no part of a document.") }
            byQuery[columns[0], default: []].append(Span(document: columns[1], range: range))
        }
        self.documents = set.documents
        self.queries = set.queries.compactMap { query in
            byQuery[query.id].map { Query(text: query.text, spans: $0) }
        }
    }

    private static func bytes(of range: Range<Int>, in text: String) -> Range<Int>? {
        let scalars = text.unicodeScalars
        guard let lower = scalars.index(scalars.startIndex, offsetBy: range.lowerBound, limitedBy: scalars.endIndex),
            let upper = scalars.index(lower, offsetBy: range.count, limitedBy: scalars.endIndex)
        else { return nil }
        let start = text.utf8.distance(from: text.utf8.startIndex, to: lower)
        return start..<start + text.utf8.distance(from: lower, to: upper)
    }
}
