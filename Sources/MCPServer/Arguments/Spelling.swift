/// Finds what somebody may have meant.
enum Spelling {
    /// The candidate that is nearest to a word, if one is near enough to be meant.
    static func nearest(to word: String, among candidates: [String]) -> String? {
        // Longer words are nobody's typing mistake, and the distance costs their length squared.
        guard word.utf8.count <= 128 else { return nil }
        let limit = max(2, word.count / 3)
        return
            candidates
            .map { (candidate: $0, distance: Self.distance(word.lowercased(), $0.lowercased())) }
            .filter { $0.distance <= limit }
            .min { $0.distance < $1.distance }?
            .candidate
    }

    /// The Levenshtein distance: how many characters to insert, delete or replace.
    private static func distance(_ left: String, _ right: String) -> Int {
        let right = Array(right)
        var previous = Array(0...right.count)
        for (row, character) in left.enumerated() {
            var current = [row + 1]
            for (column, other) in right.enumerated() {
                current.append(
                    min(current[column] + 1, previous[column + 1] + 1, previous[column] + (character == other ? 0 : 1))
                )
            }
            previous = current
        }
        return previous[right.count]
    }
}
