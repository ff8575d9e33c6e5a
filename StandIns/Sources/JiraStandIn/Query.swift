import Foundation

/// A query in JQL, of the common part of the language.
struct Query {
    /// An error in a query, as Jira words it.
    struct Failure: Error { var message: String }

    private indirect enum Condition {
        case all([Condition]), any([Condition]), not(Condition)
        case compare(field: Field, operation: String, values: [String?])
    }

    private enum Field: String {
        case project, key, issuekey, status, statuscategory, priority, assignee, reporter, labels, summary, text
        case description, issuetype, type, created, updated, duedate, due, id, resolution
    }

    private var condition: Condition?
    private var order: [(field: Field, descending: Bool)] = []

    /// Whether there is no restriction at all.
    var isUnbounded: Bool { self.condition == nil }

    init(_ text: String, currentUser: User, site: Site) throws {
        var parser = Parser(tokens: try Parser.tokens(of: text), currentUser: currentUser, site: site)
        if parser.isAtEnd == false, parser.peek(word: "order") == false {
            self.condition = try parser.disjunction()
        }
        if parser.take(word: "order") {
            guard parser.take(word: "by") else { throw parser.expecting("'by'") }
            self.order = try parser.orderBy()
        }
        guard parser.isAtEnd else { throw parser.expecting("either 'OR' or 'AND'") }
    }

    func results(_ issues: [StoredIssue]) -> [StoredIssue] {
        let found = issues.filter { issue in self.condition.map { Self.holds($0, issue) } ?? true }
        guard self.order.isEmpty == false else { return found.sorted { $0.id > $1.id } }
        return found.sorted { left, right in
            for (field, descending) in self.order {
                let (a, b) = (Self.rank(field, left), Self.rank(field, right))
                if a == b { continue }
                // What has no value comes last, whichever the direction.
                guard let a, let b else { return a != nil }
                let before = a.compare(b, options: .numeric) == .orderedAscending
                return descending ? before == false : before
            }
            return left.id > right.id
        }
    }

    private static func values(_ field: Field, _ issue: StoredIssue) -> [String] {
        switch field {
        case .project: [issue.project.key, issue.project.name, String(issue.project.id)]
        case .key, .issuekey, .id: [issue.key, String(issue.id)]
        case .status: [issue.status.name, String(issue.status.rawValue)]
        case .statuscategory: [issue.status.category.name, issue.status.category.key]
        case .priority: issue.priority.map { [$0.name, String($0.rawValue)] } ?? []
        case .assignee: issue.assignee.map { [$0.accountID, $0.name, $0.email] } ?? []
        case .reporter: [issue.reporter.accountID, issue.reporter.name, issue.reporter.email]
        case .labels: issue.labels
        case .summary: [issue.summary]
        case .description: issue.description.map { [$0] } ?? []
        case .text: [issue.summary] + (issue.description.map { [$0] } ?? []) + issue.comments
        case .issuetype, .type: [issue.type]
        case .created: [issue.created]
        case .updated: [issue.updated]
        case .duedate, .due: issue.duedate.map { [$0] } ?? []
        case .resolution: issue.status == .done ? ["Done"] : []
        }
    }

    private static func rank(_ field: Field, _ issue: StoredIssue) -> String? {
        switch field {
        // Ascending by priority begins with the least urgent.
        case .priority: issue.priority.map { String(9 - $0.rawValue) }
        case .key, .issuekey: issue.key
        default: self.values(field, issue).first
        }
    }

    private static func holds(_ condition: Condition, _ issue: StoredIssue) -> Bool {
        switch condition {
        case .all(let parts): return parts.allSatisfy { self.holds($0, issue) }
        case .any(let parts): return parts.contains { self.holds($0, issue) }
        case .not(let part): return self.holds(part, issue) == false
        case .compare(let field, let operation, let wanted):
            let values = self.values(field, issue).map { $0.lowercased() }
            let isWanted = wanted.contains { wanted in
                wanted.map { values.contains($0.lowercased()) } ?? values.isEmpty
            }
            switch operation {
            case "=", "in", "is": return isWanted
            // What is empty is never unequal to anything but EMPTY.
            case "!=", "not in": return values.isEmpty == false && isWanted == false
            case "is not": return values.isEmpty == false
            case "~": return self.matches(values, wanted)
            case "!~": return values.isEmpty == false && self.matches(values, wanted) == false
            default:
                guard let value = self.rank(field, issue), let limit = wanted.first ?? nil else { return false }
                let comparison = value.prefix(limit.count).compare(limit, options: .numeric)
                switch operation {
                case "<": return comparison == .orderedAscending
                case "<=": return comparison != .orderedDescending
                case ">": return comparison == .orderedDescending
                default: return comparison != .orderedAscending
                }
            }
        }
    }

    /// Whole words, or beginnings of words with `*`.
    private static func matches(_ values: [String], _ wanted: [String?]) -> Bool {
        let words = values.flatMap { $0.split { $0.isLetter == false && $0.isNumber == false } }
        let terms = wanted.compactMap { $0?.lowercased() }.flatMap { $0.split(separator: " ") }
        return terms.allSatisfy { term in
            words.contains { term.hasSuffix("*") ? $0.hasPrefix(term.dropLast()) : $0 == term }
        }
    }

    // MARK: Parsing

    private struct Parser {
        struct Token {
            var text: String
            var isQuoted: Bool
            /// Counted from 1.
            var character: Int
        }

        var tokens: [Token]
        var index = 0
        let currentUser: User
        let site: Site

        init(tokens: [Token], currentUser: User, site: Site) {
            self.tokens = tokens
            self.currentUser = currentUser
            self.site = site
        }

        var isAtEnd: Bool { self.index == self.tokens.count }

        func expecting(_ what: String) -> Failure {
            guard self.index < self.tokens.count else {
                return Failure(message: "Error in the JQL Query: Expecting \(what) before the end of the query.")
            }
            let token = self.tokens[self.index]
            return Failure(
                message: "Error in the JQL Query: Expecting \(what) but got '\(token.text)'. "
                    + "(line 1, character \(token.character))"
            )
        }

        func peek(word: String) -> Bool {
            guard self.index < self.tokens.count else { return false }
            return self.tokens[self.index].isQuoted == false && self.tokens[self.index].text.lowercased() == word
        }

        mutating func take(word: String) -> Bool {
            guard self.peek(word: word) else { return false }
            self.index += 1
            return true
        }

        mutating func disjunction() throws -> Condition {
            var parts = [try self.conjunction()]
            while self.take(word: "or") || self.take(word: "||") { parts.append(try self.conjunction()) }
            return parts.count == 1 ? parts[0] : .any(parts)
        }

        mutating func conjunction() throws -> Condition {
            var parts = [try self.term()]
            while self.take(word: "and") || self.take(word: "&&") { parts.append(try self.term()) }
            return parts.count == 1 ? parts[0] : .all(parts)
        }

        mutating func term() throws -> Condition {
            if self.take(word: "not") || self.take(word: "!") { return .not(try self.term()) }
            if self.take(word: "(") {
                let inner = try self.disjunction()
                guard self.take(word: ")") else { throw self.expecting("')'") }
                return inner
            }
            let field = try self.field()
            let operation = try self.operation()
            return .compare(field: field, operation: operation, values: try self.operands(field, operation))
        }

        mutating func field() throws -> Field {
            guard self.index < self.tokens.count else {
                throw Failure(message: "Error in the JQL Query: Expecting a field name at the end of the query.")
            }
            let name = self.tokens[self.index].text
            guard let field = Field(rawValue: name.lowercased()) else {
                throw Failure(
                    message: "Field '\(name)' does not exist or you do not have permission to view it."
                )
            }
            self.index += 1
            return field
        }

        mutating func operation() throws -> String {
            for word in ["=", "!=", "<=", ">=", "<", ">", "~", "!~", "in"] where self.take(word: word) { return word }
            if self.take(word: "not") {
                guard self.take(word: "in") else { throw self.expecting("'in'") }
                return "not in"
            }
            if self.take(word: "is") { return self.take(word: "not") ? "is not" : "is" }
            let operators =
                "The valid operators are '=', '!=', '<', '>', '<=', '>=', '~', '!~', 'IN', 'NOT IN', 'IS' and 'IS NOT'."
            guard self.index < self.tokens.count else {
                throw Failure(
                    message: "Error in the JQL Query: Expecting operator before the end of the query. \(operators)"
                )
            }
            let token = self.tokens[self.index]
            throw Failure(
                message: "Error in the JQL Query: Expecting operator but got '\(token.text)'. \(operators) "
                    + "(line 1, character \(token.character))"
            )
        }

        mutating func operands(_ field: Field, _ operation: String) throws -> [String?] {
            guard operation.hasSuffix("in") else { return [try self.operand(field)] }
            guard self.take(word: "(") else { throw self.expecting("'('") }
            var values = [try self.operand(field)]
            while self.take(word: ",") { values.append(try self.operand(field)) }
            guard self.take(word: ")") else { throw self.expecting("')'") }
            return values
        }

        mutating func operand(_ field: Field) throws -> String? {
            guard self.index < self.tokens.count,
                self.tokens[self.index].isQuoted || "(),".contains(self.tokens[self.index].text) == false
            else {
                throw Failure(
                    message:
                        "Error in JQL Query: Expecting either a value, list or function before the end of the query."
                )
            }
            let token = self.tokens[self.index]
            self.index += 1
            if token.isQuoted == false {
                switch token.text.lowercased() {
                case "empty", "null": return nil
                case "currentuser":
                    guard self.take(word: "("), self.take(word: ")") else { throw self.expecting("'('") }
                    return self.currentUser.accountID
                default: break
                }
            }
            try self.check(field, token.text)
            return token.text
        }

        /// Values that name something must name something that is there.
        private func check(_ field: Field, _ value: String) throws {
            let known: [String]
            switch field {
            case .project: known = self.site.projects.flatMap { [$0.key, $0.name, String($0.id)] }
            case .status: known = Status.allCases.flatMap { [$0.name, String($0.rawValue)] }
            case .priority: known = Priority.allCases.flatMap { [$0.name, String($0.rawValue)] }
            default: return
            }
            guard known.contains(where: { $0.lowercased() == value.lowercased() }) else {
                throw Failure(message: "The value '\(value)' does not exist for the field '\(field.rawValue)'.")
            }
        }

        mutating func orderBy() throws -> [(field: Field, descending: Bool)] {
            var order: [(field: Field, descending: Bool)] = []
            repeat {
                guard self.index < self.tokens.count else { throw self.expecting("a field name") }
                let name = self.tokens[self.index].text.lowercased()
                self.index += 1
                let descending = self.take(word: "desc")
                if descending == false { _ = self.take(word: "asc") }
                // Fields that nothing is known of don't order anything.
                if let field = Field(rawValue: name) { order.append((field, descending)) }
            } while self.take(word: ",")
            guard order.count <= 7 else { throw Failure(message: "The ORDER BY clause has more than 7 fields.") }
            return order
        }

        static func tokens(of text: String) throws -> [Token] {
            let characters = Array(text)
            var tokens: [Token] = []
            var index = 0
            while index < characters.count {
                let start = index
                let character = characters[index]
                index += 1
                if character.isWhitespace { continue }
                if character == "\"" || character == "'" {
                    var value = ""
                    while index < characters.count, characters[index] != character {
                        if characters[index] == "\\", index + 1 < characters.count { index += 1 }
                        value.append(characters[index])
                        index += 1
                    }
                    guard index < characters.count else {
                        throw Failure(
                            message: "Error in the JQL Query: The quoted string '\(value)' has not been completed. "
                                + "(line 1, character \(start + 1))"
                        )
                    }
                    index += 1
                    tokens.append(Token(text: value, isQuoted: true, character: start + 1))
                    continue
                }
                if "(),".contains(character) {
                    tokens.append(Token(text: String(character), isQuoted: false, character: start + 1))
                    continue
                }
                let symbols = "=!<>~&|"
                let isSymbol = symbols.contains(character)
                while index < characters.count, symbols.contains(characters[index]) == isSymbol,
                    characters[index].isWhitespace == false, "(),\"'".contains(characters[index]) == false
                {
                    index += 1
                }
                tokens.append(Token(text: String(characters[start..<index]), isQuoted: false, character: start + 1))
            }
            return tokens
        }
    }
}
