import JSON

/// The JSON parser and the writer.
///
/// What is read is written and read again, and is the same; what is refused is refused at a byte of the text. Stricter
/// limits refuse more, and change nothing of what they let through.
struct JSONTarget: FuzzTarget {
    static let name = "json"
    static let dictionary = [
        "null", "true", "false", "0", "-0", "1e400", "-1E-400", "0.1", "1.0", "9223372036854775807",
        "-9223372036854775808", "9223372036854775808", "9007199254740993", "4.9e-324", "1.7976931348623157e308",
        "123456789012345678901234567890", "0.30000000000000004", "{\"a\":1,\"a\":2}", "\"\\ud800\"",
        "\"\\ud83d\\ude00\"",
        "\\udc00", "\\u0000", "\\u001f", "\\\"", "\\/", "\u{FEFF}", "é", "e\u{301}", "😀", "\":", "[]", "{}", ",",
        "\u{7F}",
    ]

    init() {}

    func run(_ input: [UInt8]) throws -> Outcome {
        let value: JSONValue
        do {
            value = try JSONValue(parsing: input)
        } catch {
            try expect((0...input.count).contains(error.offset), "The offset \(error.offset) is outside the text.")
            try expect(error.message.isEmpty == false, "The error says nothing.")
            for limits in Self.strictLimits {
                try expect((try? JSONValue(parsing: input, limits: limits)) == nil, "Stricter limits accept more.")
            }
            return Self.hash(error.code, error.offset.bitWidth - error.offset.leadingZeroBitCount)
        }
        let written = value.serialized()
        let again = try JSONValue(parsing: written)
        try expect(again == value, "Written and read again, the value differs.")
        try expect(again.hashValue == value.hashValue, "Equal values have different hashes.")
        try expect(again.serialized() == written, "Written twice, the text differs.")
        try expect(try JSONValue(parsing: value.serializedString(pretty: true)) == value, "Pretty text differs.")
        let text = try require(String(validating: input, as: UTF8.self), "Text that is not UTF-8 was accepted.")
        try expect(try JSONValue(parsing: text) == value, "Text and bytes differ.")
        for limits in Self.strictLimits {
            do {
                try expect(try JSONValue(parsing: input, limits: limits) == value, "Limits change the value.")
            } catch let error as JSONError {
                let codes: [JSONError.Code] = [.duplicateKey, .tooDeep, .tooLarge]
                try expect(codes.contains(error.code), "Limits lead to \(error).")
            }
        }
        var shape = Shape()
        shape.add(value, depth: 0)
        return Self.hash(shape, written.count.bitWidth - written.count.leadingZeroBitCount)
    }

    private static let strictLimits = [
        JSONLimits(duplicateKeys: .reject), JSONLimits(maximumDepth: 3), JSONLimits(maximumBytes: 64),
    ]

    private static func hash(_ first: some Hashable, _ second: Int) -> Outcome {
        var hasher = Hasher()
        hasher.combine(first)
        hasher.combine(second)
        return hasher.finalize()
    }
}

/// Which kinds of values there are, and how deep.
private struct Shape: Hashable {
    private var kinds: UInt8 = 0
    private var depth = 0

    mutating func add(_ value: JSONValue, depth: Int) {
        self.depth = max(self.depth, depth)
        switch value {
        case .null: self.kinds |= 1
        case .bool: self.kinds |= 2
        case .integer: self.kinds |= 4
        case .double: self.kinds |= 8
        case .decimal: self.kinds |= 16
        case .string: self.kinds |= 32
        case .array(let elements):
            self.kinds |= 64
            for element in elements { self.add(element, depth: depth + 1) }
        case .object(let members):
            self.kinds |= 128
            for (_, member) in members { self.add(member, depth: depth + 1) }
        }
    }
}
