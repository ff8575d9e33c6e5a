/// The name of the file or page that a document comes from, as words to search for.
enum FileName {
    /// Returns the words of the last part of a path or address, or an empty string if they say nothing: there is no path,
    /// the title holds them already, or the name is a number or a hash.
    static func words(of source: String, besides title: String) -> String {
        let path =
            source.split(separator: "#", maxSplits: 1)[safe: 0]?.split(separator: "?", maxSplits: 1)[safe: 0] ?? ""
        let parts = path.split(separator: "/")
        guard parts.count > 1, var name = parts.last else { return "" }
        if let dot = name.lastIndex(of: "."), dot != name.startIndex { name = name[..<dot] }
        let words = Words.all(in: String(name)).filter { !Self.isOpaque($0) }
        let known = Set(Words.all(in: title).map { $0.lowercased() })
        guard words.contains(where: { !known.contains($0.lowercased()) }) else { return "" }
        return words.prefix(8).joined(separator: " ")
    }

    /// Whether a word is a number or a hash, which nobody searches for.
    private static func isOpaque(_ word: Substring) -> Bool {
        let digits = word.count(where: \.isNumber)
        return digits == word.count || (word.count >= 8 && digits >= 2 && word.allSatisfy(\.isHexDigit))
    }
}

extension Array {
    fileprivate subscript(safe index: Int) -> Element? { self.indices.contains(index) ? self[index] : nil }
}
