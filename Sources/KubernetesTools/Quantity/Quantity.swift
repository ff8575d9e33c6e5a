/// A limit or request of CPU or memory, kept as an integer: thousandths of a core, or bytes.
///
/// All arithmetic is on integers, because a `Double` holds neither 0.1 nor 1.1Gi exactly. The description is the canonical
/// form that Kubernetes itself would write: no fraction, and the largest unit that loses nothing.
struct Quantity: Hashable, Sendable, CustomStringConvertible {
    /// What is measured.
    enum Resource: Hashable, Sendable {
        /// Amounts are thousandths of a core, the finest step that Kubernetes schedules.
        case cpu
        /// Amounts are bytes.
        case memory
    }

    /// The family of units in which a quantity is written.
    private enum Notation: Hashable, Sendable {
        case plain
        case decimal
        case binary
    }

    let resource: Resource
    /// Thousandths of a core or bytes; at least 1.
    let amount: Int64
    /// Whether the text asked for a finer amount, which was rounded up.
    let isRounded: Bool
    private let notation: Notation

    /// Reads a number of cores such as `500m`, `2` or `0.25`.
    ///
    /// - Throws: A ``NotationError`` if the text is no quantity, not above zero, too large or written in units of memory.
    static func cpu(_ text: String) throws(NotationError) -> Self {
        let literal = try QuantityLiteral(parsing: text)
        switch literal.suffix {
        case .nano, .micro, .milli, .one:
            break
        case .mega:
            throw NotationError("M means a million cores. Did you mean m, a thousandth of a core?")
        case .kibi, .mebi, .gibi, .tebi, .pebi, .exbi:
            throw NotationError(
                "\(literal.suffix.rawValue) is a unit of memory. Write CPU in cores, for example 500m or 2."
            )
        case .kilo, .giga, .tera, .peta, .exa:
            throw NotationError("Write CPU in cores, for example 500m or 2.")
        }
        let (count, isExact) = try Self.positiveUnits(of: literal, power: -3)
        return Self(resource: .cpu, amount: count, isRounded: !isExact, notation: .plain)
    }

    /// Reads an amount of memory such as `512Mi`, `1.5Gi` or `300M`.
    ///
    /// A fraction of a large unit is rounded up to a whole `Mi` (or `M`), so that 1.1Gi is not a long row of digits.
    ///
    /// - Throws: A ``NotationError`` if the text is no quantity, not above zero, too large or in fractions of a byte.
    static func memory(_ text: String) throws(NotationError) -> Self {
        let literal = try QuantityLiteral(parsing: text)
        let notation: Notation
        switch literal.suffix {
        case .nano, .micro, .milli:
            throw NotationError(
                "\(literal.suffix.rawValue) means fractions of a byte. Did you mean Mi, for example 512Mi?"
            )
        case .one: notation = .plain
        case .kilo, .mega, .giga, .tera, .peta, .exa: notation = .decimal
        case .kibi, .mebi, .gibi, .tebi, .pebi, .exbi: notation = .binary
        }
        let (count, isExact) = try Self.positiveUnits(of: literal, power: 0)
        let step = literal.hasFraction ? Self.roundingStep(for: literal.suffix) : 1
        let remainder = count % step
        let (amount, overflow) = count.addingReportingOverflow(remainder == 0 ? 0 : step - remainder)
        guard !overflow else { throw Self.tooLarge }
        return Self(
            resource: .memory,
            amount: amount,
            isRounded: !isExact || remainder != 0,
            notation: notation
        )
    }

    /// What is wrong with a text as an amount of CPU, or nil if nothing is.
    static func cpuProblem(_ text: String) -> String? {
        do throws(NotationError) { _ = try Self.cpu(text) } catch { return error.message }
        return nil
    }

    /// What is wrong with a text as an amount of memory, or nil if nothing is.
    static func memoryProblem(_ text: String) -> String? {
        do throws(NotationError) { _ = try Self.memory(text) } catch { return error.message }
        return nil
    }

    /// Half of the amount, rounded up, in the same family of units.
    ///
    /// Never zero and never above the amount itself.
    var half: Self {
        Self(
            resource: self.resource,
            amount: self.amount / 2 + self.amount % 2,
            isRounded: false,
            notation: self.notation
        )
    }

    var description: String {
        switch self.resource {
        case .cpu:
            return self.amount % 1_000 == 0 ? "\(self.amount / 1_000)" : "\(self.amount)m"
        case .memory:
            var amount = self.amount
            var suffixes: [String]
            let base: Int64
            switch self.notation {
            case .plain: return "\(amount)"
            case .decimal: (suffixes, base) = (["", "k", "M", "G", "T", "P", "E"], 1_000)
            case .binary: (suffixes, base) = (["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"], 1_024)
            }
            while amount % base == 0, suffixes.count > 1 {
                amount /= base
                suffixes.removeFirst()
            }
            return "\(amount)\(suffixes[0])"
        }
    }

    private static let tooLarge = NotationError("The amount is too large for Kubernetes, which counts to 2^63 - 1.")

    private static func positiveUnits(
        of literal: QuantityLiteral,
        power: Int
    ) throws(NotationError) -> (count: Int64, isExact: Bool) {
        guard !literal.isNegative, literal.digits > 0 else { throw NotationError("The amount has to be above zero.") }
        guard let units = literal.units(ofPower: power) else { throw Self.tooLarge }
        return units
    }

    /// The unit below the suffix, but none above `Mi` or `M`.
    private static func roundingStep(for suffix: QuantityLiteral.Suffix) -> Int64 {
        switch suffix {
        case .nano, .micro, .milli, .one, .kilo, .kibi: 1
        case .mega: 1_000
        case .mebi: 1 << 10
        case .giga, .tera, .peta, .exa: 1_000_000
        case .gibi, .tebi, .pebi, .exbi: 1 << 20
        }
    }
}
