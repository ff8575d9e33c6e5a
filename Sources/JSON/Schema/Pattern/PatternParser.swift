/// Reads regular expressions of ECMA-262 (section 22.2.1) in Unicode mode, as JSON Schema recommends.
///
/// It is a little more lenient than Unicode mode: an escaped ASCII punctuation character stands for itself anywhere, and
/// a brace that does not belong to a quantifier does so too, as in `^{.*}$`.
struct PatternParser {
    private static let maximumDepth = 64
    private static let maximumBytes = 65_536
    private static let maximumRepetitions = 10_000

    private let scalars: [Unicode.Scalar]
    private var position = 0
    private var depth = 0
    private var groupCount = 0
    /// The groups' names, which have to be known before the first reference to one.
    private var groupNames: [String: Int]
    private let totalGroups: Int

    /// Reads a whole pattern.
    ///
    /// - Returns: The pattern's parts, and how many groups it has.
    static func parse(_ pattern: String) throws(PatternError) -> (node: PatternNode, groupCount: Int) {
        guard pattern.utf8.count <= Self.maximumBytes else {
            throw PatternError(message: "It has more than \(Self.maximumBytes) bytes.", isTooLarge: true)
        }
        var parser = PatternParser(Array(pattern.unicodeScalars))
        let node = try parser.parseAlternatives()
        guard parser.peek == nil else { throw PatternError(message: "There is a ')' without a '('.") }
        return (node, parser.groupCount)
    }

    private init(_ scalars: [Unicode.Scalar]) {
        self.scalars = scalars
        (self.totalGroups, self.groupNames) = Self.countGroups(scalars)
    }

    private static func countGroups(_ scalars: [Unicode.Scalar]) -> (Int, [String: Int]) {
        var count = 0
        var names: [String: Int] = [:]
        var isInClass = false
        var index = 0
        while index < scalars.count {
            switch scalars[index] {
            case "\\": index += 1
            case "[": isInClass = true
            case "]": isInClass = false
            case "(" where !isInClass:
                let rest = scalars[(index + 1)...]
                if !rest.starts(with: "?".unicodeScalars) {
                    count += 1
                } else if rest.starts(with: "?<".unicodeScalars), let next = rest.dropFirst(2).first,
                    next != "=", next != "!"
                {
                    count += 1
                    let name = rest.dropFirst(2).prefix { $0 != ">" }
                    names[String(String.UnicodeScalarView(name))] = count
                }
            default: break
            }
            index += 1
        }
        return (count, names)
    }

    // MARK: Structure

    private mutating func parseAlternatives() throws(PatternError) -> PatternNode {
        self.depth += 1
        defer { self.depth -= 1 }
        guard self.depth <= Self.maximumDepth else {
            throw PatternError(message: "Groups are nested more than \(Self.maximumDepth) levels deep.")
        }
        var alternatives = [try self.parseSequence()]
        while self.skip("|") { alternatives.append(try self.parseSequence()) }
        return alternatives.count == 1 ? alternatives[0] : .alternatives(alternatives)
    }

    private mutating func parseSequence() throws(PatternError) -> PatternNode {
        var parts: [PatternNode] = []
        while let scalar = self.peek, scalar != "|", scalar != ")" {
            let atom = try self.parseAtom()
            parts.append(try self.parseQuantifier(of: atom))
        }
        return parts.count == 1 ? parts[0] : parts.isEmpty ? .empty : .sequence(parts)
    }

    private mutating func parseAtom() throws(PatternError) -> PatternNode {
        guard let scalar = self.next() else { return .empty }
        switch scalar {
        case "^": return .start
        case "$": return .end
        case ".": return .set(.notLineTerminator)
        case "(": return try self.parseGroup()
        case "[": return .set(try self.parseClass())
        case "\\": return try self.parseEscape()
        case "*", "+", "?": throw PatternError(message: "There is nothing to repeat before '\(scalar)'.")
        case "{":
            if self.quantifierInBraces() != nil {
                throw PatternError(message: "There is nothing to repeat before '{'.")
            }
            return .set(.scalar(scalar.value))
        default: return .set(.scalar(scalar.value))
        }
    }

    private mutating func parseGroup() throws(PatternError) -> PatternNode {
        var look: (isBehind: Bool, isNegated: Bool)?
        var index: Int?
        if self.skip("?") {
            if self.skip("=") {
                look = (false, false)
            } else if self.skip("!") {
                look = (false, true)
            } else if self.skip("<") {
                if self.skip("=") {
                    look = (true, false)
                } else if self.skip("!") {
                    look = (true, true)
                } else {
                    try self.parseGroupName()
                    self.groupCount += 1
                    index = self.groupCount
                }
            } else if !self.skip(":") {
                throw PatternError(message: "A '(?' is not followed by ':', '=', '!' or '<'.")
            }
        } else {
            self.groupCount += 1
            index = self.groupCount
        }
        let node = try self.parseAlternatives()
        guard self.skip(")") else { throw PatternError(message: "There is a '(' without a ')'.") }
        if let look { return .look(node, isBehind: look.isBehind, isNegated: look.isNegated) }
        if let index { return .group(node, index: index) }
        return node
    }

    private mutating func parseGroupName() throws(PatternError) {
        var name = String.UnicodeScalarView()
        while let scalar = self.next(), scalar != ">" { name.append(scalar) }
        guard let first = name.first, first == "_" || first == "$" || first.properties.isIDStart,
            name.dropFirst().allSatisfy({ $0 == "$" || $0.properties.isIDContinue })
        else { throw PatternError(message: "A group's name is not an identifier.") }
    }

    private mutating func parseQuantifier(of atom: PatternNode) throws(PatternError) -> PatternNode {
        let minimum: Int
        let maximum: Int?
        if self.skip("*") {
            (minimum, maximum) = (0, nil)
        } else if self.skip("+") {
            (minimum, maximum) = (1, nil)
        } else if self.skip("?") {
            (minimum, maximum) = (0, 1)
        } else if self.peek == "{", let counts = self.quantifierInBraces(after: 1) {
            self.position = counts.end
            (minimum, maximum) = (counts.minimum, counts.maximum)
        } else {
            return atom
        }
        let isGreedy = !self.skip("?")
        switch atom {
        case .start, .end, .wordBoundary, .look: throw PatternError(message: "An assertion cannot be repeated.")
        default: break
        }
        if let maximum, maximum < minimum {
            throw PatternError(message: "The bounds of a repetition are out of order.")
        }
        guard max(minimum, maximum ?? 0) <= Self.maximumRepetitions else {
            throw PatternError(message: "A part is repeated more than \(Self.maximumRepetitions) times.")
        }
        return .quantified(atom, minimum: minimum, maximum: maximum, isGreedy: isGreedy)
    }

    /// The counts between braces, if the text behind the brace is a quantifier.
    private func quantifierInBraces(after skipped: Int = 0) -> (minimum: Int, maximum: Int?, end: Int)? {
        var index = self.position + skipped
        func number() -> Int? {
            let digits = self.scalars[index...].prefix { ("0"..."9").contains($0) }
            index += digits.count
            // What does not fit is far above the greatest number of repetitions.
            return digits.isEmpty ? nil : Int(String(String.UnicodeScalarView(digits))) ?? Int.max
        }
        guard let minimum = number() else { return nil }
        var maximum: Int? = minimum
        if index < self.scalars.count, self.scalars[index] == "," {
            index += 1
            maximum = number()
        }
        guard index < self.scalars.count, self.scalars[index] == "}" else { return nil }
        return (minimum, maximum, index + 1)
    }

    // MARK: Escapes

    private mutating func parseEscape() throws(PatternError) -> PatternNode {
        guard let scalar = self.peek else { throw PatternError(message: "The pattern ends with a backslash.") }
        switch scalar {
        case "b", "B":
            self.position += 1
            return .wordBoundary(isNegated: scalar == "B")
        case "1"..."9":
            let digits = self.scalars[self.position...].prefix { ("0"..."9").contains($0) }
            self.position += digits.count
            guard let index = Int(String(String.UnicodeScalarView(digits))), index <= self.totalGroups else {
                throw PatternError(message: "A reference names a group that does not exist.")
            }
            return .backreference(index)
        case "k":
            self.position += 1
            guard self.skip("<") else { throw PatternError(message: "'\\k' is not followed by a group's name.") }
            var name = String.UnicodeScalarView()
            while let scalar = self.next(), scalar != ">" { name.append(scalar) }
            guard let index = self.groupNames[String(name)] else {
                throw PatternError(message: "A reference names a group that does not exist.")
            }
            return .backreference(index)
        default:
            return .set(try self.parseSetEscape())
        }
    }

    /// Reads an escape that stands for one scalar or for a set of them, behind its backslash.
    private mutating func parseSetEscape() throws(PatternError) -> ScalarSet {
        guard let scalar = self.next() else { throw PatternError(message: "The pattern ends with a backslash.") }
        switch scalar {
        case "d": return .digits
        case "D": return ScalarSet.digits.inverted
        case "w": return .word
        case "W": return ScalarSet.word.inverted
        case "s": return .whitespace
        case "S": return ScalarSet.whitespace.inverted
        case "p", "P":
            guard self.skip("{") else { throw PatternError(message: "'\\p' is not followed by a property in braces.") }
            var name = String.UnicodeScalarView()
            while let scalar = self.next(), scalar != "}" { name.append(scalar) }
            guard let property = ScalarProperty(name: String(name)) else {
                throw PatternError(message: "The Unicode property '\(String(name))' is not known here.")
            }
            let set = ScalarSet([.property(property)])
            return scalar == "P" ? set.inverted : set
        default:
            return .scalar(try self.scalarValue(ofEscape: scalar))
        }
    }

    private mutating func scalarValue(ofEscape scalar: Unicode.Scalar) throws(PatternError) -> UInt32 {
        switch scalar {
        case "t": return 0x09
        case "n": return 0x0A
        case "v": return 0x0B
        case "f": return 0x0C
        case "r": return 0x0D
        case "0":
            if let next = self.peek, ("0"..."9").contains(next) {
                throw PatternError(message: "Octal escapes are not allowed.")
            }
            return 0
        case "c":
            guard let letter = self.next(), ("a"..."z").contains(letter) || ("A"..."Z").contains(letter) else {
                throw PatternError(message: "'\\c' is not followed by a letter.")
            }
            return letter.value % 32
        case "x": return try self.hexadecimal(count: 2)
        case "u": return try self.unicodeEscape()
        default:
            let isLetterOrDigit = scalar.properties.isAlphabetic || ("0"..."9").contains(scalar)
            guard scalar.isASCII, !isLetterOrDigit else {
                throw PatternError(message: "There is no escape '\\\(scalar)'.")
            }
            return scalar.value
        }
    }

    private mutating func unicodeEscape() throws(PatternError) -> UInt32 {
        if self.skip("{") {
            var value: UInt32 = 0
            var count = 0
            while let scalar = self.next(), scalar != "}" {
                guard let digit = Character(scalar).hexDigitValue, value <= 0x10FFFF else {
                    throw PatternError(message: "'\\u{' is not followed by hexadecimal digits and '}'.")
                }
                value = value * 16 + UInt32(digit)
                count += 1
            }
            guard count > 0, value <= 0x10FFFF else { throw PatternError(message: "A '\\u{…}' is not a code point.") }
            return value
        }
        let lead = try self.hexadecimal(count: 4)
        guard (0xD800...0xDBFF).contains(lead), self.scalars[self.position...].starts(with: "\\u".unicodeScalars) else {
            return lead
        }
        let afterLead = self.position
        self.position += 2
        if let trail = try? self.hexadecimal(count: 4), (0xDC00...0xDFFF).contains(trail) {
            return 0x10000 + (lead & 0x3FF) << 10 + (trail & 0x3FF)
        }
        self.position = afterLead
        return lead
    }

    private mutating func hexadecimal(count: Int) throws(PatternError) -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<count {
            guard let scalar = self.next(), scalar.isASCII, let digit = Character(scalar).hexDigitValue else {
                throw PatternError(message: "\(count) hexadecimal digits are expected in an escape.")
            }
            value = value * 16 + UInt32(digit)
        }
        return value
    }

    // MARK: Classes

    /// Reads a class behind its opening bracket.
    private mutating func parseClass() throws(PatternError) -> ScalarSet {
        let isNegated = self.skip("^")
        var parts: [ScalarSet.Part] = []
        while !self.skip("]") {
            let first = try self.parseClassAtom()
            // A hyphen makes a range, unless it is the last thing in the class.
            guard self.peek == "-", self.position + 1 < self.scalars.count, self.scalars[self.position + 1] != "]"
            else {
                parts.append(first)
                continue
            }
            self.position += 1
            let last = try self.parseClassAtom()
            guard case .range(let lower) = first, case .range(let upper) = last else {
                throw PatternError(message: "A range in a class has to go from one character to another.")
            }
            guard lower.lowerBound <= upper.lowerBound else {
                throw PatternError(message: "The bounds of a range are out of order.")
            }
            parts.append(.range(lower.lowerBound...upper.lowerBound))
        }
        let set = ScalarSet(parts)
        return isNegated ? set.inverted : set
    }

    private mutating func parseClassAtom() throws(PatternError) -> ScalarSet.Part {
        guard let scalar = self.next() else { throw PatternError(message: "There is a '[' without a ']'.") }
        guard scalar == "\\" else { return .range(scalar.value...scalar.value) }
        guard let escaped = self.peek else { throw PatternError(message: "There is a '[' without a ']'.") }
        switch escaped {
        case "d", "D", "w", "W", "s", "S", "p", "P":
            let set = try self.parseSetEscape()
            return .not(set.inverted)
        case "b":
            self.position += 1
            return .range(0x08...0x08)
        default:
            self.position += 1
            let value = try self.scalarValue(ofEscape: escaped)
            return .range(value...value)
        }
    }

    // MARK: Scalars

    private var peek: Unicode.Scalar? { self.position < self.scalars.count ? self.scalars[self.position] : nil }

    private mutating func next() -> Unicode.Scalar? {
        guard let scalar = self.peek else { return nil }
        self.position += 1
        return scalar
    }

    private mutating func skip(_ scalar: Unicode.Scalar) -> Bool {
        guard self.peek == scalar else { return false }
        self.position += 1
        return true
    }
}
