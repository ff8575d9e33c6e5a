/// The words of a query that are worth looking for.
public struct QueryAnalysis: Sendable, Hashable {
    /// The words in lower case, in order and without repetition, followed by the parts of the identifiers among them.
    ///
    /// Words that only make a question of it are left out, unless the query has no other words.
    public let terms: [String]

    /// The words of the query itself, without the parts of identifiers.
    let contentWords: [String]

    /// Analyses a query.
    ///
    /// At most 64 different words are kept.
    public init(_ text: String) {
        let words = Words.all(in: text)
        var content: [String] = []
        var parts: [String] = []
        let kept = words.filter { !Self.questionWords.contains($0.lowercased()) }
        for word in kept.isEmpty ? words : kept {
            Self.add(word.lowercased(), to: &content)
            for part in Words.identifierParts(of: word) { Self.add(part, to: &parts) }
        }
        self.contentWords = content
        self.terms = Array((content + parts.filter { !content.contains($0) }).prefix(Self.maximumTerms))
    }

    /// Returns the share of the query's words that a text holds, from 0 to 1, each counting by its rarity; words are
    /// compared without their endings.
    func coverage(of text: String, rarity: TermRarity) -> Double {
        let words = Words.all(in: text)
        var stems = Set(words.map { Words.stem($0.lowercased()) })
        for word in words { stems.formUnion(Words.identifierParts(of: word).map(Words.stem)) }
        var found = 0.0
        var total = 0.0
        for word in self.contentWords {
            let weight = rarity.weight(of: word)
            total += weight
            if stems.contains(Words.stem(word)) { found += weight }
        }
        return total > 0 ? found / total : 0
    }

    private static func add(_ word: String, to words: inout [String]) {
        if words.count < Self.maximumTerms, !words.contains(word) { words.append(word) }
    }

    private static let maximumTerms = 64

    /// Words that ask, point or help and say nothing about the subject.
    static let questionWords: Set<String> = [
        "a", "about", "after", "all", "also", "am", "an", "and", "any", "are", "as", "at", "be", "been", "before",
        "being", "between", "but", "by", "can", "could", "did", "do", "does", "during", "each", "explain", "for",
        "from", "give", "had", "has", "have", "having", "he", "her", "his", "how", "i", "if", "in", "into", "is", "it",
        "its", "me", "my", "of", "on", "or", "our", "please", "she", "should", "so", "some", "such", "tell", "than",
        "that", "the", "their", "them", "then", "there", "these", "they", "this", "those", "to", "was", "we", "were",
        "what", "when", "where", "which", "who", "whom", "whose", "why", "will", "with", "would", "you", "your",
    ]
}
