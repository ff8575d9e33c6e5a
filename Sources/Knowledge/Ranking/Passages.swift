/// Makes passages of hits: one chunk each, or a chunk with its neighbours, where those of one document that overlap
/// become one passage.
struct Passages {
    let base: KnowledgeBase
    let options: KnowledgeQueryOptions

    /// Returns the passages, best first, at most as many as are asked for.
    func results(of found: [Found]) async throws(KnowledgeError) -> [SearchResult] {
        guard self.options.neighbours > 0 else { return found.prefix(self.options.topK).map(self.base.result) }
        var windows: [Window] = []
        // Hits beyond those that are asked for would only make passages longer.
        for item in found.prefix(self.options.topK) {
            let window = Window(item)
            let overlapped = windows.indices.filter { windows[$0].overlaps(window) }
            guard let first = overlapped.first else {
                windows.append(window)
                continue
            }
            windows[first].join(window)
            // A window that closes the gap between two makes one of them.
            for index in overlapped.dropFirst().reversed() { windows[first].join(windows.remove(at: index)) }
        }
        var results: [SearchResult] = []
        for window in windows { results.append(try await self.result(of: window)) }
        return results
    }

    /// The chunks of a passage.
    private struct Window {
        var best: Found
        var chunks: [Int: StoredChunk]

        init(_ found: Found) {
            self.best = found
            let all = found.hit.before + [found.hit.chunk] + found.hit.after
            self.chunks = Dictionary(all.map { ($0.index, $0) }, uniquingKeysWith: { $1 })
        }

        func overlaps(_ other: Window) -> Bool {
            self.best.hit.chunk.documentID == other.best.hit.chunk.documentID
                && self.best.hit.chunk.version == other.best.hit.chunk.version
                && other.chunks.keys.contains { self.chunks[$0] != nil }
        }

        mutating func join(_ other: Window) {
            self.chunks.merge(other.chunks, uniquingKeysWith: { $1 })
            if other.best.score > self.best.score { self.best = other.best }
        }

        var ordered: [StoredChunk] { self.chunks.values.sorted { $0.index < $1.index } }
    }

    private func result(of window: Window) async throws(KnowledgeError) -> SearchResult {
        var result = self.base.result(of: window.best)
        let chunks = window.ordered
        guard let first = chunks.first, let last = chunks.last, chunks.count > 1 else { return result }
        let span = first.span.lowerBound..<max(first.span.upperBound, last.span.upperBound)
        // What lies between two chunks is in neither of them, so the passage is taken from the document.
        guard let document = try await self.base.store.document(id: first.documentID),
            document.summary.version.contentHash == first.version,
            let text = document.text.slice(utf8: span)
        else { return result }  // The document has changed since the search; the chunk is still what was found.
        result.text = text
        result.span = span
        result.chunkIndexes = first.index...last.index
        result.tokenCount = self.base.tokenCount(of: text)
        return result
    }
}

extension String {
    /// The part of a text in a range of UTF-8 byte offsets, or nothing if the range isn't within it.
    func slice(utf8 range: Range<Int>) -> String? {
        guard range.lowerBound >= 0, range.upperBound <= self.utf8.count else { return nil }
        let lower = self.utf8.index(self.utf8.startIndex, offsetBy: range.lowerBound)
        let upper = self.utf8.index(lower, offsetBy: range.count)
        return String(self.utf8[lower..<upper])
    }
}

extension KnowledgeBase {
    /// The result that a hit alone gives.
    func result(of found: Found) -> SearchResult {
        let chunk = found.hit.chunk
        return SearchResult(
            documentID: chunk.documentID,
            source: chunk.source,
            title: chunk.title,
            version: chunk.version,
            headingPath: chunk.headingPath,
            chunkIndex: chunk.index,
            text: chunk.text,
            span: chunk.span,
            tokenCount: self.tokenCount(of: chunk.text),
            score: found.score,
            similarity: found.hit.candidate.cosine,
            indexedAt: chunk.indexedAt,
            sourceUpdatedAt: chunk.sourceUpdatedAt,
            explanation: found.explanation
        )
    }

    func tokenCount(of text: String) -> Int {
        self.embedder?.tokenCount(of: text) ?? ApproximateTokenizer.tokenSpans(of: text).count
    }
}
