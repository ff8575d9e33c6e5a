import Knowledge
import Synchronization

/// An embedder for tests: texts that share words have a high cosine.
///
/// It counts what it is asked for, and can fail.
final class WordEmbedder: Embedder {
    struct Failure: Error {}

    let model: EmbeddingModel
    private let counted = Mutex((calls: 0, texts: 0))

    init(name: String = "words", dimension: Int = 64) {
        self.model = EmbeddingModel(name: name, dimension: dimension, maximumTokens: 256)
    }

    var calls: Int { self.counted.withLock { $0.calls } }
    var texts: Int { self.counted.withLock { $0.texts } }

    func embed(_ texts: [String]) async throws -> [[Float]] {
        self.counted.withLock {
            $0.calls += 1
            $0.texts += texts.count
        }
        guard !texts.contains(where: { $0.contains("POISON") }) else { throw Failure() }
        return texts.map { self.vector(of: $0) }
    }

    func tokenCount(of text: String) -> Int { self.tokenSpans(of: text).count }

    func tokenSpans(of text: String) -> [Range<Int>] {
        var spans: [Range<Int>] = []
        var start: Int?
        for (offset, byte) in (Array(text.utf8) + [0x20]).enumerated() {
            let isSpace = byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09
            if isSpace, let first = start {
                spans.append(first..<offset)
                start = nil
            } else if !isSpace, start == nil {
                start = offset
            }
        }
        return spans
    }

    private func vector(of text: String) -> [Float] {
        var vector = [Float](repeating: 0, count: self.model.dimension)
        vector[0] = 0.01
        for word in text.lowercased().split(whereSeparator: { !$0.isLetter && !$0.isNumber }) {
            let hash = word.utf8.reduce(UInt64(5381)) { ($0 &* 33) ^ UInt64($1) }
            vector[Int(hash % UInt64(self.model.dimension))] += 1
        }
        let length = vector.reduce(0) { $0 + $1 * $1 }.squareRoot()
        return vector.map { $0 / length }
    }
}
