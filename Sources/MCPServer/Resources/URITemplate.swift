/// A URI template (RFC 6570) of the forms `{name}` and `{+name}`, read backwards: from an address to the variables.
struct URITemplate: Sendable {
    private enum Piece: Sendable {
        case literal(String)
        /// `{name}` stands for one path segment, `{+name}` for anything.
        case variable(String, isReserved: Bool)
    }

    private let pieces: [Piece]

    /// - Precondition: The template is well formed: it is written by programmers.
    init(_ template: String) {
        var pieces: [Piece] = []
        var rest = template[...]
        while let open = rest.firstIndex(of: "{") {
            if rest.startIndex < open { pieces.append(.literal(String(rest[..<open]))) }
            guard let close = rest[open...].firstIndex(of: "}") else {
                preconditionFailure("A variable of \(template) is not closed.")
            }
            var name = rest[rest.index(after: open)..<close]
            let isReserved = name.first == "+"
            if isReserved { name = name.dropFirst() }
            precondition(
                name.isEmpty == false && name.allSatisfy { $0.isLetter || $0.isNumber || $0 == "_" },
                "\(template) has a variable of a form that is not supported."
            )
            if case .variable? = pieces.last { preconditionFailure("Two variables of \(template) touch each other.") }
            pieces.append(.variable(String(name), isReserved: isReserved))
            rest = rest[rest.index(after: close)...]
        }
        if rest.isEmpty == false { pieces.append(.literal(String(rest))) }
        self.pieces = pieces
    }

    var variables: [String] {
        self.pieces.compactMap { if case .variable(let name, _) = $0 { name } else { nil } }
    }

    /// The variables of an address, decoded; nothing if it is none of the family.
    ///
    /// What stands for one segment never holds a slash and is never `.` or `..`, however it is encoded.
    func match(_ uri: String) -> [String: String]? {
        var values: [String: String] = [:]
        var rest = uri[...]
        for (index, piece) in self.pieces.enumerated() {
            switch piece {
            case .literal(let literal):
                guard rest.hasPrefix(literal) else { return nil }
                rest = rest.dropFirst(literal.count)
            case .variable(let name, let isReserved):
                var end = rest.endIndex
                if index + 1 < self.pieces.count, case .literal(let next) = self.pieces[index + 1] {
                    guard let start = rest.firstRange(of: next)?.lowerBound else { return nil }
                    end = start
                }
                guard let value = Self.decoded(rest[..<end], isReserved: isReserved) else { return nil }
                values[name] = value
                rest = rest[end...]
            }
        }
        return rest.isEmpty ? values : nil
    }

    private static func decoded(_ text: Substring, isReserved: Bool) -> String? {
        guard text.isEmpty == false, let value = Self.percentDecoded(text) else { return nil }
        if isReserved { return value }
        return value.contains("/") || value == "." || value == ".." ? nil : value
    }

    private static func percentDecoded(_ text: Substring) -> String? {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let high = rest.popFirst().flatMap(Self.hexDigit), let low = rest.popFirst().flatMap(Self.hexDigit)
            else { return nil }
            bytes.append(high << 4 | low)
        }
        return String(validating: bytes, as: UTF8.self)
    }

    private static func hexDigit(_ byte: UInt8) -> UInt8? {
        Character(UnicodeScalar(byte)).hexDigitValue.map(UInt8.init)
    }
}
