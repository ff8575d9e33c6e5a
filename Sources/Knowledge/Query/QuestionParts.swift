/// Taking a question apart that asks for several things.
enum QuestionParts {
    /// The most parts that are searched for; the rest of a longer question belongs to the last one.
    static let maximum = 4

    /// Returns the questions that a text consists of, or nothing if it asks one thing only.
    ///
    /// A text is taken apart after each question mark, at the items of a list, and where "and" is followed by a new
    /// question word. Each part has to have words of its own to look for.
    static func split(_ text: String) -> [String] {
        var parts: [String] = []
        var current: [Substring] = []
        for line in text.split(whereSeparator: \.isNewline) {
            if Self.isListItem(line), !current.isEmpty { Self.end(&current, into: &parts) }
            for word in Self.withoutMarker(line).split(separator: " ") {
                if parts.count < Self.maximum - 1, Self.startsQuestion(word, after: current) {
                    current.removeLast()
                    Self.end(&current, into: &parts)
                }
                current.append(word)
                if parts.count < Self.maximum - 1, word.hasSuffix("?") { Self.end(&current, into: &parts) }
            }
        }
        Self.end(&current, into: &parts)
        return parts.count > 1 ? parts : []
    }

    private static func end(_ words: inout [Substring], into parts: inout [String]) {
        let text = words.joined(separator: " ")
        if Self.hasSubject(text) {
            parts.append(text)
        } else if let last = parts.popLast() {
            parts.append(text.isEmpty ? last : "\(last) \(text)")
        } else {
            return  // What says nothing by itself is the beginning of the next part.
        }
        words = []
    }

    /// Whether a text names at least two things to look for.
    private static func hasSubject(_ text: String) -> Bool {
        Words.all(in: text).count { !QueryAnalysis.questionWords.contains($0.lowercased()) } >= 2
    }

    private static func startsQuestion(_ word: Substring, after words: [Substring]) -> Bool {
        guard let last = words.last?.lowercased(), last == "and" || last == "or" else { return false }
        return Self.openers.contains(word.lowercased()) && Self.hasSubject(words.dropLast().joined(separator: " "))
    }

    private static let openers: Set<String> = ["how", "what", "when", "where", "which", "who", "whose", "why"]

    private static func isListItem(_ line: Substring) -> Bool { Self.withoutMarker(line).count < line.count }

    private static func withoutMarker(_ line: Substring) -> Substring {
        let text = line.drop(while: \.isWhitespace)
        if let first = text.first, "-*•".contains(first), text.dropFirst().first == " " { return text.dropFirst(2) }
        let digits = text.prefix(while: \.isNumber)
        let rest = text[digits.endIndex...]
        guard (1...2).contains(digits.count), let sign = rest.first, sign == "." || sign == ")",
            rest.dropFirst().first == " "
        else { return line }
        return rest.dropFirst(2)
    }
}
