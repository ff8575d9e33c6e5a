/// Finds the bytes of a JSON string that need attention, eight bytes at a time.
///
/// The tests on a whole word are the well-known ones for "has a byte less than" and "has a byte equal to": exact for
/// the lowest byte that matches, which is the only one that is used.
enum StringScan {
    private static let ones: UInt64 = 0x0101_0101_0101_0101
    private static let highBits: UInt64 = 0x8080_8080_8080_8080
    private static let spaces: UInt64 = 0x2020_2020_2020_2020
    private static let quotes: UInt64 = 0x2222_2222_2222_2222
    private static let backslashes: UInt64 = 0x5C5C_5C5C_5C5C_5C5C

    /// A word with bit 7 set at least in the lowest byte that is a quote, a backslash or a control character, and in no
    /// byte before that; zero if there is none.
    @inline(__always)
    static func specialBytes(in word: UInt64) -> UInt64 {
        (((word ^ self.quotes) &- self.ones) | ((word ^ self.backslashes) &- self.ones) | (word &- self.spaces))
            & ~word & self.highBits
    }

    /// The offset of the first quote, backslash or control character at or after `start`, or `end` if there is none.
    ///
    /// `nonASCII` gets bit 7 of some byte set if one of the bytes before that is not ASCII.
    @inline(__always)
    static func endOfPlainText(
        _ bytes: UnsafeRawPointer,
        from start: Int,
        to end: Int,
        nonASCII: inout UInt64
    ) -> Int {
        var position = start
        while position &+ 8 <= end {
            let word = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self))
            let special = self.specialBytes(in: word)
            if special != 0 {
                let count = special.trailingZeroBitCount >> 3
                nonASCII |= word & ((1 &<< UInt64(count &* 8)) &- 1)
                return position &+ count
            }
            nonASCII |= word
            position &+= 8
        }
        while position < end {
            let byte = bytes.load(fromByteOffset: position, as: UInt8.self)
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") || byte < 0x20 { return position }
            nonASCII |= UInt64(byte)
            position &+= 1
        }
        return end
    }

    /// Whether ``endOfPlainText(_:from:to:nonASCII:)`` came across a byte that is not ASCII.
    @inline(__always)
    static func foundNonASCII(_ nonASCII: UInt64) -> Bool { nonASCII & self.highBits != 0 }

    /// The offset of the first byte that does not belong to valid UTF-8 (Unicode, table 3-7), or `nil` if all do.
    static func firstInvalidUTF8(_ bytes: UnsafeRawPointer, from start: Int, to end: Int) -> Int? {
        var position = start
        while position < end {
            if position &+ 8 <= end,
                bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self) & self.highBits == 0
            {
                position &+= 8
                continue
            }
            guard let length = self.lengthOfScalar(bytes, at: position, end: end) else { return position }
            position &+= length
        }
        return nil
    }

    /// How many bytes the scalar at `position` has, or `nil` if it is not valid UTF-8.
    private static func lengthOfScalar(_ bytes: UnsafeRawPointer, at position: Int, end: Int) -> Int? {
        func byte(_ distance: Int) -> UInt8 {
            let offset = position &+ distance
            return offset < end ? bytes.load(fromByteOffset: offset, as: UInt8.self) : 0
        }
        func isContinuation(_ byte: UInt8) -> Bool { byte & 0xC0 == 0x80 }
        let first = byte(0)
        let second = byte(1)
        switch first {
        case 0x00...0x7F:
            return 1
        case 0xC2...0xDF:
            return isContinuation(second) ? 2 : nil
        case 0xE0...0xEF:
            // Refuses forms that are too long, and surrogates.
            let allowed: ClosedRange<UInt8> = first == 0xE0 ? 0xA0...0xBF : first == 0xED ? 0x80...0x9F : 0x80...0xBF
            return allowed.contains(second) && isContinuation(byte(2)) ? 3 : nil
        case 0xF0...0xF4:
            // Refuses forms that are too long, and what is above U+10FFFF.
            let allowed: ClosedRange<UInt8> = first == 0xF0 ? 0x90...0xBF : first == 0xF4 ? 0x80...0x8F : 0x80...0xBF
            return allowed.contains(second) && isContinuation(byte(2)) && isContinuation(byte(3)) ? 4 : nil
        default:
            return nil
        }
    }
}
