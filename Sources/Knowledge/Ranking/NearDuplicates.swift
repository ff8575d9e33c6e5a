/// Tells passages that say nearly the same as a better one, word for word, from those that add something.
///
/// Copies of a page and of a licence text are common in real collections, and each takes the place of another answer.
/// Texts are compared by their runs of three words (Broder, "On the Resemblance and Containment of Documents", 1997).
enum NearDuplicates {
    /// The share of common runs from which on two texts are the same.
    static let threshold = 0.9

    /// Divides hits, best first, into those to keep and those that repeat a better one.
    static func split(_ found: [Found]) -> (kept: [Found], duplicates: [Found]) {
        var kept: [Found] = []
        var duplicates: [Found] = []
        var seen: [Set<Int>] = []
        for item in found {
            let runs = Self.runs(of: item.hit.chunk.text)
            // Short texts such as headings are alike without being copies.
            if runs.count >= 8, seen.contains(where: { Self.isAlike($0, runs) }) {
                duplicates.append(item)
            } else {
                kept.append(item)
                seen.append(runs)
            }
        }
        return (kept, duplicates)
    }

    private static func isAlike(_ first: Set<Int>, _ second: Set<Int>) -> Bool {
        let (small, large) = first.count < second.count ? (first, second) : (second, first)
        // Most pairs are told apart by their sizes or by a few of their runs.
        guard Double(small.count) >= Self.threshold * Double(large.count),
            small.prefix(8).count(where: large.contains) >= 5
        else { return false }
        let common = small.count(where: large.contains)
        return Double(common) >= Self.threshold * Double(small.count + large.count - common)
    }

    private static func runs(of text: String) -> Set<Int> {
        let words = Words.all(in: text).map { $0.lowercased() }
        guard words.count >= 3 else { return [] }
        return Set((0..<words.count - 2).map { words[$0..<$0 + 3].hashValue })
    }
}
