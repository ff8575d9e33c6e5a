/// The value of `multipleOf`: a positive decimal number, so that divisibility is decided without rounding.
struct Divisor: Sendable {
    /// The number as it is shown to people.
    let text: String
    private let significand: UInt64
    private let exponent: Int

    /// Creates a divisor, unless the number is not positive or has more than 18 digits.
    init?(_ value: JSONValue) {
        guard let number = DecimalNumber(value), !number.isNegative, !number.digits.isEmpty else { return nil }
        guard number.digits.count <= 18 else { return nil }
        self.text = value.serializedString()
        self.significand = number.digits.reduce(0) { $0 * 10 + UInt64($1) }
        self.exponent = number.exponent
    }

    /// Whether a number is a multiple of this one.
    func divides(_ number: DecimalNumber) -> Bool {
        if number.digits.isEmpty { return true }
        let shift = number.exponent - self.exponent
        // The digits do not end with zero, so that they are no multiple of a power of ten.
        guard shift >= 0 else { return false }
        let remainder = number.digits.reduce(UInt64(0)) { (self.multiply($0, 10) + UInt64($1)) % self.significand }
        return self.multiply(remainder, self.powerOfTen(shift)) == 0
    }

    /// 10^`exponent` modulo the significand, by squaring.
    private func powerOfTen(_ exponent: Int) -> UInt64 {
        var result: UInt64 = 1 % self.significand
        var factor: UInt64 = 10 % self.significand
        var rest = exponent
        while rest > 0 {
            if rest & 1 == 1 { result = self.multiply(result, factor) }
            factor = self.multiply(factor, factor)
            rest >>= 1
        }
        return result
    }

    /// A product modulo the significand.
    ///
    /// The significand has at most 60 bits, so that a digit can be added to it.
    private func multiply(_ left: UInt64, _ right: UInt64) -> UInt64 {
        self.significand.dividingFullWidth((left % self.significand).multipliedFullWidth(by: right % self.significand))
            .remainder
    }
}
