/// The encoding of Unicode labels in host names (RFC 3492).
enum Punycode {
    private static let base = 36
    private static let minimumThreshold = 1
    private static let maximumThreshold = 26
    private static let initialBias = 72
    private static let initialScalar = 128

    /// The scalars that a label behind `xn--` stands for, or `nil` if it is not valid.
    static func decode(_ bytes: [UInt8]) -> [Unicode.Scalar]? {
        let hyphen = bytes.lastIndex(of: UInt8(ascii: "-"))
        var output = bytes[..<(hyphen ?? 0)].map { Unicode.Scalar($0) }
        var position = hyphen.map { $0 + 1 } ?? 0
        var scalar = self.initialScalar
        var index = 0
        var bias = self.initialBias
        while position < bytes.count {
            let oldIndex = index
            var weight = 1
            var step = self.base
            while true {
                guard position < bytes.count, let digit = self.digit(bytes[position]) else { return nil }
                position += 1
                index += digit * weight
                let threshold = self.threshold(step, bias)
                if digit < threshold { break }
                weight *= self.base - threshold
                // No label is long enough for numbers of this size.
                guard index < 1 << 32, weight < 1 << 32 else { return nil }
                step += self.base
            }
            let count = output.count + 1
            bias = self.adaptedBias(index - oldIndex, count, isFirst: oldIndex == 0)
            scalar += index / count
            index %= count
            guard let value = Unicode.Scalar(UInt32(min(scalar, 0x11_0000))) else { return nil }
            output.insert(value, at: index)
            index += 1
        }
        return output
    }

    /// The text behind `xn--` that stands for a label, or `nil` if the label is far too long.
    static func encode(_ scalars: [Unicode.Scalar]) -> [UInt8]? {
        guard scalars.count <= 63 else { return nil }
        var output = scalars.filter(\.isASCII).map { UInt8($0.value) }
        let basicCount = output.count
        if basicCount > 0 { output.append(UInt8(ascii: "-")) }
        var handled = basicCount
        var scalar = self.initialScalar
        var delta = 0
        var bias = self.initialBias
        while handled < scalars.count {
            guard let next = scalars.lazy.map({ Int($0.value) }).filter({ $0 >= scalar }).min() else { return nil }
            delta += (next - scalar) * (handled + 1)
            scalar = next
            for value in scalars.lazy.map({ Int($0.value) }) {
                if value < scalar { delta += 1 }
                guard value == scalar else { continue }
                self.append(delta, bias, to: &output)
                bias = self.adaptedBias(delta, handled + 1, isFirst: handled == basicCount)
                delta = 0
                handled += 1
            }
            delta += 1
            scalar += 1
        }
        return output
    }

    private static func append(_ number: Int, _ bias: Int, to output: inout [UInt8]) {
        var rest = number
        var step = self.base
        while true {
            let threshold = self.threshold(step, bias)
            if rest < threshold { break }
            output.append(self.letter(threshold + (rest - threshold) % (self.base - threshold)))
            rest = (rest - threshold) / (self.base - threshold)
            step += self.base
        }
        output.append(self.letter(rest))
    }

    private static func threshold(_ step: Int, _ bias: Int) -> Int {
        min(max(step - bias, self.minimumThreshold), self.maximumThreshold)
    }

    /// Section 6.1.
    private static func adaptedBias(_ delta: Int, _ count: Int, isFirst: Bool) -> Int {
        var delta = isFirst ? delta / 700 : delta / 2
        delta += delta / count
        var steps = 0
        while delta > (self.base - self.minimumThreshold) * self.maximumThreshold / 2 {
            delta /= self.base - self.minimumThreshold
            steps += self.base
        }
        return steps + (self.base - self.minimumThreshold + 1) * delta / (delta + 38)
    }

    private static func digit(_ byte: UInt8) -> Int? {
        if byte.isASCIILetter { return Int(byte | 0x20) - Int(UInt8(ascii: "a")) }
        return byte.isASCIIDigit ? Int(byte) - Int(UInt8(ascii: "0")) + 26 : nil
    }

    private static func letter(_ digit: Int) -> UInt8 {
        digit < 26 ? UInt8(ascii: "a") + UInt8(digit) : UInt8(ascii: "0") + UInt8(digit - 26)
    }
}
