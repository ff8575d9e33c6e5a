/// A pattern for paths as `.gitignore` has them (gitignore(5)): `*` and `?` within a name, `[a-z]`, `**` across names.
///
/// Matching takes at most as many steps as the lengths of pattern and path multiplied.
public struct Glob: Sendable, Hashable {
    private let segments: [[Character]]

    /// Creates a pattern.
    ///
    /// One without a slash, except at its end, matches a name at any depth; any other matches the path from its start.
    public init(_ pattern: String) {
        var text = Substring(pattern)
        while text.last == "/" { text.removeLast() }
        let isAnchored = text.contains("/")
        let names = text.split(separator: "/").map { Array($0) }
        self.segments = isAnchored || names.isEmpty ? names : [["*", "*"]] + names
    }

    /// Returns whether a path, with slashes between its names and none at its start, is meant.
    public func matches(_ path: String) -> Bool {
        let names = path.split(separator: "/").map { Array($0) }
        // reachable[i]: whether the segments so far can stand for the first i names.
        var reachable = [Bool](repeating: false, count: names.count + 1)
        reachable[0] = true
        for (index, segment) in self.segments.enumerated() {
            var next = [Bool](repeating: false, count: names.count + 1)
            if segment == ["*", "*"] {
                // At the end it means everything inside, so at least one name.
                let isLast = index == self.segments.count - 1
                var isOpen = false
                for position in 0...names.count {
                    if isLast { next[position] = isOpen }
                    isOpen = isOpen || reachable[position]
                    if !isLast { next[position] = isOpen }
                }
            } else {
                for position in names.indices where reachable[position] {
                    next[position + 1] = next[position + 1] || Self.matches(segment, names[position])
                }
            }
            reachable = next
        }
        return reachable[names.count]
    }

    /// Matches one name: after a star, it goes back to the last one only.
    private static func matches(_ pattern: [Character], _ name: [Character]) -> Bool {
        var (p, n) = (0, 0)
        var star: (pattern: Int, name: Int)?
        while n < name.count {
            if p < pattern.count, pattern[p] == "*" {
                star = (p, n)
                p += 1
            } else if p < pattern.count, let next = Self.step(pattern, p, name[n]) {
                p = next
                n += 1
            } else if let last = star {
                p = last.pattern + 1
                n = last.name + 1
                star = (last.pattern, n)
            } else {
                return false
            }
        }
        return pattern[p...].allSatisfy { $0 == "*" }
    }

    /// Returns where the pattern goes on after one character, or nothing if the character doesn't match.
    private static func step(_ pattern: [Character], _ position: Int, _ character: Character) -> Int? {
        switch pattern[position] {
        case "?": return position + 1
        case "\\" where position + 1 < pattern.count: return pattern[position + 1] == character ? position + 2 : nil
        case "[":
            guard let end = pattern[(position + 1)...].dropFirst().firstIndex(of: "]") else {
                return character == "[" ? position + 1 : nil
            }
            var members = pattern[(position + 1)..<end]
            let isNegated = members.first == "!" || members.first == "^"
            if isNegated { members = members.dropFirst() }
            var isMember = false
            var index = members.startIndex
            while index < members.endIndex {
                if index + 2 < members.endIndex, members[index + 1] == "-" {
                    isMember = isMember || (members[index] <= character && character <= members[index + 2])
                    index += 3
                } else {
                    isMember = isMember || members[index] == character
                    index += 1
                }
            }
            return isMember != isNegated ? end + 1 : nil
        default: return pattern[position] == character ? position + 1 : nil
        }
    }
}
