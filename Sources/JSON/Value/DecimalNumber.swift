/// A decimal number of any size: `digits` × 10^`exponent`, with a sign.
///
/// The digits have no zero in front or at the end, so that equal numbers have equal parts. Zero has no digits.
struct DecimalNumber: Hashable {
    let isNegative: Bool
    /// Digits from 0 to 9, the most significant first.
    let digits: [UInt8]
    let exponent: Int

    /// Creates a number from a literal that follows the grammar of RFC 8259, section 6.
    init(literal: String) {
        var literal = literal
        self = literal.withUTF8 { DecimalNumber(literal: $0) }
    }

    init(literal: UnsafeBufferPointer<UInt8>) {
        var digits: [UInt8] = []
        digits.reserveCapacity(literal.count)
        var exponent = 0
        var isNegative = false
        var isFraction = false
        scan: for (offset, byte) in literal.enumerated() {
            switch byte {
            case UInt8(ascii: "-"):
                isNegative = true
            case UInt8(ascii: "."):
                isFraction = true
            case UInt8(ascii: "0")...UInt8(ascii: "9"):
                if byte != UInt8(ascii: "0") || !digits.isEmpty { digits.append(byte - UInt8(ascii: "0")) }
                if isFraction { exponent -= 1 }
            default:
                exponent += Self.exponent(UnsafeBufferPointer(rebasing: literal[(offset + 1)...]))
                break scan
            }
        }
        while digits.last == 0 {
            digits.removeLast()
            exponent += 1
        }
        self.digits = digits
        self.exponent = digits.isEmpty ? 0 : exponent
        self.isNegative = isNegative && !digits.isEmpty
    }

    init(_ number: Int) { self.init(literal: String(number)) }

    /// Creates the number that the shortest description of a finite double denotes.
    init(_ number: Double) { self.init(literal: number.description) }

    /// The value of the digits after `e`, held at a size that can be added to without overflow.
    private static func exponent(_ text: UnsafeBufferPointer<UInt8>) -> Int {
        var value = 0
        var isNegative = false
        for byte in text {
            switch byte {
            case UInt8(ascii: "-"): isNegative = true
            case UInt8(ascii: "+"): break
            default: value = min(value * 10 + Int(byte - UInt8(ascii: "0")), 1 << 48)
            }
        }
        return isNegative ? -value : value
    }
}
