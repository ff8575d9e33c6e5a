extension DecimalNumber {
    /// Creates the number that a value denotes, or `nil` if the value is not a finite number.
    init?(_ value: JSONValue) {
        switch value {
        case .integer(let number): self.init(number)
        case .double(let number) where number.isFinite: self.init(number)
        case .decimal(let number): self = number.decimalNumber
        default: return nil
        }
    }

    /// Whether the number has no fraction.
    var isInteger: Bool { self.exponent >= 0 }

    /// The number as an `Int`, if it is one.
    var intValue: Int? {
        guard self.exponent >= 0, self.digits.count + self.exponent <= 19 else { return nil }
        var value = 0
        for position in 0..<self.digits.count + self.exponent {
            let digit = position < self.digits.count ? Int(self.digits[position]) : 0
            let (product, isTooLarge) = value.multipliedReportingOverflow(by: 10)
            let (sum, isTooLargeNow) = product.addingReportingOverflow(self.isNegative ? -digit : digit)
            if isTooLarge || isTooLargeNow { return nil }
            value = sum
        }
        return value
    }
}

extension DecimalNumber: Comparable {
    static func < (left: Self, right: Self) -> Bool {
        guard left.isNegative == right.isNegative else { return left.isNegative }
        return left.isNegative ? right.hasSmallerMagnitude(than: left) : left.hasSmallerMagnitude(than: right)
    }

    private func hasSmallerMagnitude(than other: Self) -> Bool {
        if self.digits.isEmpty || other.digits.isEmpty { return !other.digits.isEmpty && self.digits.isEmpty }
        let (scale, otherScale) = (self.digits.count + self.exponent, other.digits.count + other.exponent)
        return scale == otherScale ? self.digits.lexicographicallyPrecedes(other.digits) : scale < otherScale
    }
}
