import Foundation

/// What makes two questions the same question, for the cache of answers.
///
/// Vectors alone can't tell: the cosine of "enable TLS" and "disable TLS" is .87, that of "from Jenkins to GitLab" and its
/// reverse .997, while true paraphrases lie between .36 and .85. So the words decide: everything that carries meaning
/// has to be there, in the same order. That is every number, negation, preposition, sign and name; only politeness,
/// articles and the ways in which a request is framed are left out.
struct QuestionFingerprint: Sendable, Hashable {
    /// The text in one Unicode form, without needless white space and without a question mark at its end.
    let normalised: String

    /// The words that carry meaning, in order; none if the question has only others.
    let words: [String]

    init(_ text: String) {
        let tokens = text.precomposedStringWithCanonicalMapping
            .split { $0.isWhitespace }
            .map { String($0) }
        var last = tokens
        while let end = last.last?.last, end == "?" || end == "." || end == "!" {
            last[last.count - 1].removeLast()
            if last[last.count - 1].isEmpty { last.removeLast() }
        }
        self.normalised = last.joined(separator: " ")
        self.words = Self.words(last)
    }

    private static func words(_ tokens: [String]) -> [String] {
        let isShouting = tokens.allSatisfy { $0 == $0.uppercased() }
        var words: [Word] = []
        for token in tokens {
            for word in Self.expanded(Self.bare(token)) where !word.isEmpty {
                // IT isn't it, US isn't us, and a plan A isn't a plan.
                let isName = !isShouting && word == word.uppercased() && word != word.lowercased()
                words.append(
                    Word(text: word.lowercased(), isName: isName && word != "I" && (word.count > 1 || !words.isEmpty))
                )
            }
        }
        return Self.withoutFrame(words[...]).filter { !$0.isFiller }.map { $0.isName ? $0.text.uppercased() : $0.text }
    }

    private struct Word {
        var text: String
        /// Whether it is written like a name or an abbreviation, so that it can't be a filler.
        var isName: Bool

        var isFiller: Bool { !self.isName && QuestionFingerprint.fillers.contains(self.text) }
    }

    /// A word without the punctuation of sentences around it.
    ///
    /// Signs that mean something stay: `C++`, `-5`, `$HOME`, `.env`, `<`, `%`.
    private static func bare(_ token: String) -> String {
        var text = token[...]
        while let first = text.first, Self.opening.contains(first) { text = text.dropFirst() }
        while let last = text.last, Self.closing.contains(last) { text = text.dropLast() }
        return String(text).replacing("’", with: "'")
    }

    private static let opening: Set<Character> = ["\"", "'", "(", "[", "{", "“", "‘", "«", "¿", "¡"]
    private static let closing: Set<Character> = [
        "\"", "'", ")", "]", "}", "”", "’", "»", ",", ";", ":", "?", "!", ".",
    ]

    /// The words of a contraction; a negation becomes a word of its own.
    private static func expanded(_ word: String) -> [String] {
        let lower = word.lowercased()
        if let whole = Self.contractions[lower] { return whole }
        if lower.hasSuffix("n't") { return [String(word.dropLast(3)), "not"] }
        for (ending, full) in [("'re", "are"), ("'ll", "will"), ("'ve", "have")] where lower.hasSuffix(ending) {
            return [String(word.dropLast(ending.count)), full]
        }
        return [word]
    }

    private static let contractions: [String: [String]] = [
        "can't": ["can", "not"], "cannot": ["can", "not"], "won't": ["will", "not"], "shan't": ["shall", "not"],
        "what's": ["what", "is"], "where's": ["where", "is"], "who's": ["who", "is"], "how's": ["how", "is"],
        "when's": ["when", "is"], "why's": ["why", "is"], "that's": ["that", "is"], "there's": ["there", "is"],
        "it's": ["it", "is"], "i'm": ["i", "am"], "i'd": ["i", "would"],
    ]

    /// The words after what only says that something is asked.
    private static func withoutFrame(_ words: ArraySlice<Word>) -> ArraySlice<Word> {
        var rest = words
        var isShorter = true
        while isShorter {
            isShorter = false
            for frame in Self.frames where rest.count > frame.count && rest.prefix(frame.count).map(\.text) == frame {
                rest = rest.dropFirst(frame.count)
                isShorter = true
            }
        }
        // "How do I", "how can we" and "how to" all ask for a way; "how must I" doesn't.
        for frame in Self.ways where rest.count > frame.count && rest.prefix(frame.count).map(\.text) == frame {
            return [Word(text: "how", isName: false)] + rest.dropFirst(frame.count)
        }
        return rest
    }

    private static let frames: [[String]] = [
        "please", "hi", "hello", "can you tell me", "could you tell me", "would you tell me", "can you please tell me",
        "could you please tell me", "tell me", "can you explain", "could you explain", "can you please explain",
        "could you please explain", "can you show me", "could you show me", "show me", "i want to know",
        "i would like to know", "i need to know", "do you know",
    ]
    .map { $0.split(separator: " ").map(String.init) }

    private static let ways: [[String]] = [
        "how do i", "how do we", "how do you", "how can i", "how can we", "how can you", "how can one", "how does one",
        "how would i", "how would we", "how would you", "how to",
    ]
    .map { $0.split(separator: " ").map(String.init) }

    /// Words that can be left out of any question without changing it.
    private static let fillers: Set<String> = ["a", "an", "the", "my", "our", "please", "kindly", "thanks"]
}
