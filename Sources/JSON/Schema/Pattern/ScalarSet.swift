/// A set of Unicode scalars: what one character class, escape or literal of a pattern matches.
struct ScalarSet: Sendable, Hashable {
    /// A range of scalar values, a property of scalars, or the opposite of a set.
    indirect enum Part: Sendable, Hashable {
        case range(ClosedRange<UInt32>)
        case property(ScalarProperty)
        case not(ScalarSet)

        func contains(_ scalar: Unicode.Scalar) -> Bool {
            switch self {
            case .range(let range): range.contains(scalar.value)
            case .property(let property): property.contains(scalar)
            case .not(let set): !set.contains(scalar)
            }
        }
    }

    private var parts: [Part]
    /// One bit for each ASCII scalar, worked out beforehand: most text is ASCII.
    private var lowASCII: UInt64 = 0
    private var highASCII: UInt64 = 0

    init(_ parts: [Part]) {
        self.parts = parts
        for value in UInt8(0)..<128 where parts.contains(where: { $0.contains(Unicode.Scalar(value)) }) {
            if value < 64 { self.lowASCII |= 1 << UInt64(value) } else { self.highASCII |= 1 << UInt64(value - 64) }
        }
    }

    @inline(__always)
    func contains(_ scalar: Unicode.Scalar) -> Bool {
        let value = scalar.value
        if value < 64 { return self.lowASCII >> UInt64(value) & 1 == 1 }
        if value < 128 { return self.highASCII >> UInt64(value - 64) & 1 == 1 }
        return self.parts.contains { $0.contains(scalar) }
    }

    /// Everything that is not in this set.
    var inverted: ScalarSet { ScalarSet([.not(self)]) }
}

/// The sets that ECMAScript's escapes stand for (ECMA-262, section 22.2.2.9).
extension ScalarSet {
    static func scalar(_ value: UInt32) -> ScalarSet { ScalarSet([.range(value...value)]) }

    /// `\d`: ASCII digits only.
    static let digits = ScalarSet([.range(0x30...0x39)])

    /// `\w`: ASCII letters, digits and the underscore.
    static let word = ScalarSet([.range(0x30...0x39), .range(0x41...0x5A), .range(0x5F...0x5F), .range(0x61...0x7A)])

    /// `\s`: ECMAScript's white space and line terminators.
    static let whitespace = ScalarSet([
        .range(0x09...0x0D), .range(0x20...0x20), .range(0xA0...0xA0), .range(0x2028...0x2029), .range(0xFEFF...0xFEFF),
        .property(.category([.spaceSeparator])),
    ])

    /// `.`: everything but line terminators.
    static let notLineTerminator = ScalarSet([
        .range(0x0A...0x0A), .range(0x0D...0x0D), .range(0x2028...0x2029),
    ]).inverted
}
