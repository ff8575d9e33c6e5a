/// Base64 (RFC 4648), strict: full padding where there is padding, no unused bits set, nothing beside the alphabet.
public enum Base64 {
    /// Which characters stand for 62 and 63, and whether the text is padded.
    public enum Alphabet: Sendable {
        /// `+`, `/`, padded (section 4).
        case standard
        /// `-`, `_`, not padded (section 5).
        case url
    }

    /// Writes bytes as text.
    public static func encode(_ bytes: some Collection<UInt8>, _ alphabet: Alphabet = .standard) -> String {
        var result: [UInt8] = []
        result.reserveCapacity((bytes.count + 2) / 3 * 4)
        var bits: UInt32 = 0
        var count: UInt32 = 0
        for byte in bytes {
            bits = bits << 8 | UInt32(byte)
            count += 8
            while count >= 6 {
                count -= 6
                result.append(Self.character(bits >> count & 63, alphabet))
            }
            bits &= (1 << count) - 1
        }
        if count > 0 { result.append(Self.character(bits << (6 - count) & 63, alphabet)) }
        if case .standard = alphabet {
            while result.count.isMultiple(of: 4) == false { result.append(UInt8(ascii: "=")) }
        }
        return String(decoding: result, as: UTF8.self)
    }

    /// Reads bytes from text.
    ///
    /// - Returns: Nothing if the text is not base64.
    public static func decode(_ text: some Collection<UInt8>, _ alphabet: Alphabet = .standard) -> [UInt8]? {
        var padding = 0
        if case .standard = alphabet {
            guard text.count.isMultiple(of: 4) else { return nil }
            padding = text.suffix(2).count { $0 == UInt8(ascii: "=") }
        }
        guard (text.count - padding) % 4 != 1 else { return nil }
        var result: [UInt8] = []
        result.reserveCapacity(text.count / 4 * 3 + 2)
        var bits: UInt32 = 0
        var count: UInt32 = 0
        for byte in text.dropLast(padding) {
            guard let digit = Self.digit(byte, alphabet) else { return nil }
            bits = bits << 6 | digit
            count += 6
            if count >= 8 {
                count -= 8
                result.append(UInt8(truncatingIfNeeded: bits >> count))
                bits &= (1 << count) - 1
            }
        }
        return bits == 0 ? result : nil
    }

    private static func digit(_ byte: UInt8, _ alphabet: Alphabet) -> UInt32? {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(byte - UInt8(ascii: "A"))
        case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(byte - UInt8(ascii: "a")) + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(byte - UInt8(ascii: "0")) + 52
        case Self.character(62, alphabet): 62
        case Self.character(63, alphabet): 63
        default: nil
        }
    }

    private static func character(_ digit: UInt32, _ alphabet: Alphabet) -> UInt8 {
        switch (digit, alphabet) {
        case (0..<26, _): UInt8(digit) + UInt8(ascii: "A")
        case (26..<52, _): UInt8(digit - 26) + UInt8(ascii: "a")
        case (52..<62, _): UInt8(digit - 52) + UInt8(ascii: "0")
        case (62, .standard): UInt8(ascii: "+")
        case (62, .url): UInt8(ascii: "-")
        case (_, .standard): UInt8(ascii: "/")
        case (_, .url): UInt8(ascii: "_")
        }
    }
}
