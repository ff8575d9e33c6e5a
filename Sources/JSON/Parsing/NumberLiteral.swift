/// Recognises JSON numbers (RFC 8259, section 6) and finds the case of ``JSONValue`` that holds them without loss.
enum NumberLiteral {
    /// Powers of ten that a double represents exactly.
    private static let exactPowers: [Double] = [
        1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19,
        1e20, 1e21, 1e22,
    ]

    /// The offset behind the number that begins at `start`, or `nil` if there is none.
    static func end(in bytes: UnsafeBufferPointer<UInt8>, from start: Int) -> Int? {
        var position = start
        if position < bytes.count, bytes[position] == UInt8(ascii: "-") { position += 1 }
        guard position < bytes.count, isDigit(bytes[position]) else { return nil }
        if bytes[position] == UInt8(ascii: "0") {
            position += 1
        } else {
            skipDigits(in: bytes, from: &position)
        }
        if position < bytes.count, bytes[position] == UInt8(ascii: ".") {
            position += 1
            guard position < bytes.count, isDigit(bytes[position]) else { return nil }
            skipDigits(in: bytes, from: &position)
        }
        // Setting bit 5 makes letters small.
        if position < bytes.count, bytes[position] | 0x20 == UInt8(ascii: "e") {
            position += 1
            if position < bytes.count, bytes[position] == UInt8(ascii: "+") || bytes[position] == UInt8(ascii: "-") {
                position += 1
            }
            guard position < bytes.count, isDigit(bytes[position]) else { return nil }
            skipDigits(in: bytes, from: &position)
        }
        return position
    }

    /// The value of a literal that follows the grammar.
    static func value(of literal: UnsafeBufferPointer<UInt8>) -> JSONValue {
        var digitCount = 0
        var fractionDigits = 0
        var significand: UInt64 = 0
        var isInteger = true
        var position = literal.first == UInt8(ascii: "-") ? 1 : 0
        let isNegative = position == 1
        var exponent = 0
        while position < literal.count {
            let byte = literal[position]
            position += 1
            if isDigit(byte) {
                significand = significand &* 10 &+ UInt64(byte - UInt8(ascii: "0"))
                // Zeros in front don't count. The significand is no help here: it may have overflowed, even to zero.
                if digitCount > 0 || byte != UInt8(ascii: "0") { digitCount += 1 }
                if !isInteger { fractionDigits += 1 }
            } else if byte == UInt8(ascii: ".") {
                isInteger = false
            } else {
                isInteger = false
                guard let value = Self.smallExponent(literal, from: position) else {
                    return Self.slowValue(of: literal)
                }
                exponent = value
                break
            }
        }
        // Nineteen digits fit 64 bits without overflow.
        if digitCount > 19 { return Self.slowValue(of: literal) }
        if isInteger {
            if isNegative {
                if significand == 0 { return .double(-0.0) }
                if significand <= UInt64(Int.max) { return .integer(-Int(significand)) }
                if significand == UInt64(Int.max) + 1 { return .integer(Int.min) }
            } else if significand <= UInt64(Int.max) {
                return .integer(Int(significand))
            }
        }
        // With at most 15 digits and a power of ten that is exact, one operation rounds correctly, and no shorter
        // decimal denotes the same double.
        let power = exponent - fractionDigits
        if digitCount <= 15, abs(power) < Self.exactPowers.count {
            let magnitude = Double(significand)
            let number = power < 0 ? magnitude / Self.exactPowers[-power] : magnitude * Self.exactPowers[power]
            return .double(isNegative ? -number : number)
        }
        return Self.slowValue(of: literal)
    }

    /// The double whose shortest description denotes the literal, or else the literal itself.
    private static func slowValue(of literal: UnsafeBufferPointer<UInt8>) -> JSONValue {
        let text = String(decoding: literal, as: UTF8.self)
        let exact = DecimalNumber(literal: literal)
        if exact.digits.isEmpty { return .double(literal.first == UInt8(ascii: "-") ? -0.0 : 0.0) }
        // No double has more than 17 digits in its shortest description.
        if exact.digits.count <= 17, let number = Double(text), number.isFinite, DecimalNumber(number) == exact {
            return .double(number)
        }
        return .decimal(JSONDecimal(validated: text))
    }

    /// The exponent that is written from `start` on, or `nil` if it has more than four digits.
    private static func smallExponent(_ literal: UnsafeBufferPointer<UInt8>, from start: Int) -> Int? {
        var position = start
        let isNegative = literal[position] == UInt8(ascii: "-")
        if isNegative || literal[position] == UInt8(ascii: "+") { position += 1 }
        guard literal.count - position <= 4 else { return nil }
        var value = 0
        while position < literal.count {
            value = value * 10 + Int(literal[position] - UInt8(ascii: "0"))
            position += 1
        }
        return isNegative ? -value : value
    }

    private static func skipDigits(in bytes: UnsafeBufferPointer<UInt8>, from position: inout Int) {
        while position < bytes.count, self.isDigit(bytes[position]) { position += 1 }
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        byte &- UInt8(ascii: "0") < 10
    }
}
