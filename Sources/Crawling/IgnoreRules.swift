/// The rules of one `.gitignore` file (gitignore(5)).
struct IgnoreRules: Sendable {
    private struct Rule: Sendable {
        var glob: Glob
        var isNegated: Bool
        var isForDirectories: Bool
    }

    /// The most rules of one file; more are left out.
    static let maximumRules = 10_000

    private let rules: [Rule]

    init(_ text: String) {
        self.rules = text.split(whereSeparator: \.isNewline).prefix(Self.maximumRules).compactMap(Self.rule)
    }

    /// Returns whether a path, relative to the directory of the file, is ignored; nothing if no rule is about it.
    func ignores(_ path: String, isDirectory: Bool) -> Bool? {
        self.rules.last { (isDirectory || !$0.isForDirectories) && $0.glob.matches(path) }.map { !$0.isNegated }
    }

    private static func rule(_ line: Substring) -> Rule? {
        var text = line
        while text.last == " ", !text.hasSuffix("\\ ") { text.removeLast() }
        guard !text.isEmpty, text.first != "#" else { return nil }
        let isNegated = text.first == "!"
        if isNegated { text = text.dropFirst() }
        let isForDirectories = text.last == "/"
        if isForDirectories { text = text.dropLast() }
        guard text.contains(where: { $0 != "/" }) else { return nil }
        return Rule(glob: Glob(String(text)), isNegated: isNegated, isForDirectories: isForDirectories)
    }
}
