/// A filter in the Jira Query Language, confined to one project.
///
/// The filter comes from a model and is not trusted. It is cut into tokens; only what is balanced and closed is accepted,
/// so that it can be put into parentheses without reaching out of them, and its ORDER BY goes behind them.
struct JQL: Sendable, Equatable {
    /// Why a filter is not accepted, for the model.
    struct Problem: Error, Equatable {
        var message: String

        init(message: String) { self.message = message }

        /// A problem that has a place, which is counted in characters from 1.
        init(_ message: String, at place: String.Index, in scalars: String.UnicodeScalarView) {
            self.message = "Character \(scalars.distance(from: scalars.startIndex, to: place) + 1): \(message)"
        }
    }

    /// The longest filter.
    static let maximumBytes = 4000

    /// The conditions, without ORDER BY.
    ///
    /// May be empty.
    let conditions: String
    /// What follows ORDER BY, if anything.
    let order: String?

    init(_ filter: String) throws(Problem) {
        guard filter.utf8.count <= Self.maximumBytes else {
            throw Problem(message: "A filter may have \(Self.maximumBytes) bytes.")
        }
        let tokens = try Self.tokens(of: filter)
        var depth = 0
        var split: (start: String.Index, end: String.Index)?
        for (index, token) in tokens.enumerated() {
            switch token.kind {
            case .open:
                depth += 1
            case .close:
                depth -= 1
                guard depth >= 0 else { throw Problem(message: "There is a ) without its (.") }
            case .word where depth == 0 && split == nil && token.text(in: filter).lowercased() == "order":
                guard index + 1 < tokens.count, tokens[index + 1].kind == .word,
                    tokens[index + 1].text(in: filter).lowercased() == "by"
                else { continue }
                split = (token.range.lowerBound, tokens[index + 1].range.upperBound)
            case .word, .quoted, .other:
                // Beyond ORDER BY there are field names, ASC, DESC and commas, and nothing that could be a condition.
                if split != nil, token.kind == .other, token.text(in: filter) != "," {
                    throw Problem(message: "After ORDER BY there are only fields, ASC, DESC and commas.")
                }
            }
            if split != nil, token.kind == .open {
                throw Problem(message: "After ORDER BY there are only fields, ASC, DESC and commas.")
            }
        }
        guard depth == 0 else { throw Problem(message: "There is a ( without its ).") }
        if let split {
            self.conditions = Self.trimmed(filter[..<split.start])
            let order = Self.trimmed(filter[split.end...])
            guard order.isEmpty == false else { throw Problem(message: "ORDER BY wants a field.") }
            self.order = order
        } else {
            self.conditions = Self.trimmed(filter[...])
            self.order = nil
        }
    }

    /// The whole query: the filter within one project.
    ///
    /// - Parameter project: A project key, checked before.
    /// - Returns: A query that finds nothing outside of the project.
    func confined(to project: String) -> String {
        var query = "project = \"\(project)\""
        if self.conditions.isEmpty == false {
            query += " AND (\(self.conditions))"
        }
        if let order {
            query += " ORDER BY \(order)"
        }
        return query
    }

    // MARK: Tokens

    private enum Kind { case word, quoted, open, close, other }

    private struct Token {
        var kind: Kind
        var range: Range<String.Index>
        func text(in filter: String) -> Substring { filter[self.range] }
    }

    private static func tokens(of filter: String) throws(Problem) -> [Token] {
        let scalars = filter.unicodeScalars
        var tokens: [Token] = []
        var index = scalars.startIndex
        while index < scalars.endIndex {
            let start = index
            let scalar = scalars[index]
            scalars.formIndex(after: &index)
            switch scalar {
            case " ", "\t", "\n", "\r":
                continue
            case "(":
                tokens.append(Token(kind: .open, range: start..<index))
            case ")":
                tokens.append(Token(kind: .close, range: start..<index))
            case "\"", "'":
                index = try Self.endOfQuoted(scalar, in: scalars, from: index)
                tokens.append(Token(kind: .quoted, range: start..<index))
            case _ where Self.isControl(scalar):
                throw Problem("A filter holds no control characters.", at: start, in: scalars)
            case "\\":
                // What it would escape there is a matter of the lexer's version; in quotes it is not.
                throw Problem("A \\ is only allowed in quotes.", at: start, in: scalars)
            case ";":
                throw Problem("JQL has no ; outside of quotes.", at: start, in: scalars)
            case _ where Self.isWord(scalar):
                var previous = scalar
                while index < scalars.endIndex, Self.isWord(scalars[index]) {
                    guard previous != "-" || scalars[index] != "-" else {
                        let place = scalars.index(before: index)
                        throw Problem("JQL has no comments; a text with -- needs quotes.", at: place, in: scalars)
                    }
                    previous = scalars[index]
                    scalars.formIndex(after: &index)
                }
                tokens.append(Token(kind: .word, range: start..<index))
            default:
                tokens.append(Token(kind: .other, range: start..<index))
            }
        }
        return tokens
    }

    private static func endOfQuoted(
        _ quote: Unicode.Scalar,
        in scalars: String.UnicodeScalarView,
        from start: String.Index
    ) throws(Problem) -> String.Index {
        var index = start
        while index < scalars.endIndex {
            let place = index
            let scalar = scalars[index]
            scalars.formIndex(after: &index)
            if scalar == quote { return index }
            guard Self.isControl(scalar) == false else {
                throw Problem("A filter holds no control characters.", at: place, in: scalars)
            }
            if scalar == "\\" {
                index = try Self.endOfEscape(in: scalars, from: index)
            }
        }
        throw Problem("There is a \(quote) that is not closed.", at: scalars.index(before: start), in: scalars)
    }

    /// The end of an escape behind its backslash: one of those that JQL has.
    private static func endOfEscape(
        in scalars: String.UnicodeScalarView,
        from start: String.Index
    ) throws(Problem) -> String.Index {
        let rest = scalars[start...]
        switch rest.first {
        case "'", "\"", "\\", " ", "t", "n", "r":
            return scalars.index(after: start)
        case "u" where rest.dropFirst().prefix(4).count { $0.isASCII && $0.properties.isHexDigit } == 4:
            return scalars.index(start, offsetBy: 5)
        default:
            throw Problem(
                "This is no escape of JQL; there are \\' \\\" \\\\ \\t \\n \\r, \\ with a space, and \\u with four hex digits.",
                at: scalars.index(before: start),
                in: scalars
            )
        }
    }

    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control: scalar != "\t" && scalar != "\n" && scalar != "\r"
        case .lineSeparator, .paragraphSeparator, .surrogate, .format: true
        default: false
        }
    }

    private static func isWord(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "(", ")", "\"", "'", "\\", "=", "!", "<", ">", "~", ",", ";", "&", "|", " ", "\t", "\n", "\r": false
        default: isControl(scalar) == false && scalar.properties.isWhitespace == false
        }
    }

    private static func trimmed(_ text: Substring) -> String {
        let isBlank: (Character) -> Bool = { $0.isWhitespace }
        guard let first = text.firstIndex(where: { isBlank($0) == false }),
            let last = text.lastIndex(where: { isBlank($0) == false })
        else { return "" }
        return String(text[first...last])
    }
}
