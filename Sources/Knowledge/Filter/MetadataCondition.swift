public import JSON

/// The place of a value in a document's metadata, such as `team.name`.
///
/// One to eight keys, separated by dots. A key consists of letters, digits, `_` and `-` of ASCII and has at most 64 of
/// them; any other key is written in double quotes, such as `"gantry.file"`, and can't hold a quote, a backslash or a
/// control character. Elements of arrays have no path.
public struct MetadataPath: Sendable, Hashable {
    /// The keys from the outside to the inside.
    public let keys: [String]

    /// Reads a path.
    ///
    /// - Throws: ``KnowledgeError/Code/invalidArguments`` if it breaks the grammar.
    public init(_ text: String) throws(KnowledgeError) {
        var keys: [String] = []
        var rest = Substring(text)
        while true {
            guard let key = Self.key(at: &rest), keys.count < 8 else {
                throw KnowledgeError(
                    .invalidArguments,
                    "\"\(text.prefix(100))\" isn't a metadata path. Give up to 8 keys of letters, digits, _ and -, "
                        + "separated by dots, such as team.name; put other keys in double quotes."
                )
            }
            keys.append(key)
            guard rest.first == "." else { break }
            rest = rest.dropFirst()
        }
        self.keys = keys
    }

    /// Takes a key away, or returns nothing if there is none or it isn't followed by a dot or the end.
    private static func key(at rest: inout Substring) -> String? {
        let key: Substring
        if rest.first == "\"" {
            let inner = rest.dropFirst()
            guard let end = inner.firstIndex(of: "\"") else { return nil }
            key = inner[..<end]
            rest = inner[inner.index(after: end)...]
            guard key.unicodeScalars.allSatisfy({ $0 != "\\" && $0.value >= 0x20 && $0.value != 0x7F }) else {
                return nil
            }
        } else {
            key = rest.prefix { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_" || $0 == "-") }
            rest = rest[key.endIndex...]
        }
        guard (1...64).contains(key.unicodeScalars.count), rest.isEmpty || rest.first == "." else { return nil }
        return String(key)
    }
}

extension MetadataPath: CustomStringConvertible {
    /// The path with all keys in quotes.
    public var description: String { self.keys.map { "\"\($0)\"" }.joined(separator: ".") }
}

/// A condition on one value of a document's metadata.
public struct MetadataCondition: Sendable, Hashable {
    /// How the document's value is compared with the one of the condition.
    public enum Comparison: String, Sendable, Hashable, CaseIterable {
        /// They are equal. Numbers are equal if they are the same number, however they are written.
        case eq
        /// They are not equal, or the document has no such value.
        case ne
        /// The document's value is equal to one of a list of at most 100.
        case `in`
        /// With `true`, the document has such a value, be it `null`; with `false`, it has none.
        case exists
        /// The document's value is less. Numbers are compared with numbers, strings with strings by code point, which
        /// suits dates as ISO 8601 writes them; a value of another type never matches.
        case lt
        case lte
        case gt
        case gte
        /// The document's value is an array with an element that is equal, or a string that the given string is a part
        /// of.
        case contains
    }

    public var path: MetadataPath
    public var comparison: Comparison

    /// What is compared with: a string, number, truth value or `null`; a list of these for ``Comparison/in``.
    public var value: JSONValue

    /// Creates a condition.
    ///
    /// - Throws: ``KnowledgeError/Code/invalidArguments`` if the value doesn't suit the comparison.
    public init(_ path: MetadataPath, _ comparison: Comparison, _ value: JSONValue) throws(KnowledgeError) {
        self.path = path
        self.comparison = comparison
        self.value = value
        try self.check()
    }

    /// Reads a condition as people write it on the command line: `team=platform`, `severity>=2`, `tags~oil`.
    ///
    /// The signs are `=`, `!=`, `<`, `<=`, `>`, `>=` and `~` (contains). What reads as JSON is that value, anything else the
    /// text itself; text that looks like a number is written in double quotes.
    ///
    /// - Throws: ``KnowledgeError/Code/invalidArguments`` if it is no condition.
    public init(text: String) throws(KnowledgeError) {
        // The longer signs first, as the shorter ones are their beginnings.
        let signs: [(String, Comparison)] = [
            ("!=", .ne), ("<=", .lte), (">=", .gte), ("=", .eq), ("<", .lt), (">", .gt), ("~", .contains),
        ]
        let start = text.firstIndex { "!<>=~".contains($0) } ?? text.endIndex
        guard let (sign, comparison) = signs.first(where: { text[start...].hasPrefix($0.0) }) else {
            throw KnowledgeError(
                .invalidArguments,
                "\"\(text.prefix(100))\" isn't a condition; it has the form team=platform, with =, !=, <, <=, >, >= or ~."
            )
        }
        let value = String(text[start...].dropFirst(sign.count))
        let json = try? JSONValue(parsing: Array(value.utf8))
        try self.init(try MetadataPath(String(text[..<start])), comparison, json ?? .string(value))
    }

    func check() throws(KnowledgeError) {
        let isRight =
            switch self.comparison {
            case .eq, .ne, .contains: Self.isScalar(self.value)
            case .in:
                self.value.arrayValue.map { (1...100).contains($0.count) && $0.allSatisfy(Self.isScalar) } ?? false
            case .exists: self.value.boolValue != nil
            case .lt, .lte, .gt, .gte: self.value.stringValue != nil || self.value.doubleValue != nil
            }
        guard isRight else {
            let wanted =
                switch self.comparison {
                case .eq, .ne, .contains: "a string, a number, true, false or null"
                case .in: "a list of 1 to 100 strings, numbers or truth values"
                case .exists: "true or false"
                case .lt, .lte, .gt, .gte: "a number or a string"
                }
            throw KnowledgeError(
                .invalidArguments,
                "The comparison \(self.comparison.rawValue) of \(self.path) needs \(wanted), of at most 4096 bytes."
            )
        }
    }

    private static func isScalar(_ value: JSONValue) -> Bool {
        switch value {
        case .null, .bool: true
        case .integer, .double, .decimal: value.doubleValue != nil
        case .string(let text): text.utf8.count <= 4096
        case .array, .object: false
        }
    }
}
