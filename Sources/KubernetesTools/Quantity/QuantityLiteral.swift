/// The parts of a Kubernetes quantity as written: `1.5Gi` is the digits 15, the power -1 and the suffix `Gi`.
///
/// The value is `digits × 10^power × suffix`. The grammar is that of `k8s.io/apimachinery/pkg/api/resource`:
/// an optional sign, digits with at most one point, then a suffix or a decimal exponent.
struct QuantityLiteral: Equatable {
    /// A unit prefix: `Mi` is 2^20, `M` is 10^6, `m` is 10^-3.
    enum Suffix: String, CaseIterable {
        case nano = "n"
        case micro = "u"
        case milli = "m"
        case one = ""
        case kilo = "k"
        case mega = "M"
        case giga = "G"
        case tera = "T"
        case peta = "P"
        case exa = "E"
        case kibi = "Ki"
        case mebi = "Mi"
        case gibi = "Gi"
        case tebi = "Ti"
        case pebi = "Pi"
        case exbi = "Ei"

        /// The suffix as a power of ten; 0 for binary suffixes.
        var decimalPower: Int {
            switch self {
            case .nano: -9
            case .micro: -6
            case .milli: -3
            case .one, .kibi, .mebi, .gibi, .tebi, .pebi, .exbi: 0
            case .kilo: 3
            case .mega: 6
            case .giga: 9
            case .tera: 12
            case .peta: 15
            case .exa: 18
            }
        }

        /// The suffix as a power of two; 0 for decimal suffixes.
        var binaryPower: Int {
            switch self {
            case .kibi: 10
            case .mebi: 20
            case .gibi: 30
            case .tebi: 40
            case .pebi: 50
            case .exbi: 60
            case .nano, .micro, .milli, .one, .kilo, .mega, .giga, .tera, .peta, .exa: 0
            }
        }
    }

    /// Longest text that is read, in bytes.
    static let maximumLength = 32
    /// Most digits that are read.
    ///
    /// 10^20 × 2^60 still fits into 128 bits, so that no step can overflow unnoticed.
    static let maximumDigits = 20

    let isNegative: Bool
    let digits: UInt128
    let power: Int
    let suffix: Suffix
    /// Whether digits follow a decimal point.
    let hasFraction: Bool

    /// Reads a quantity.
    ///
    /// - Throws: A ``NotationError`` that says what is wrong and, for frequent mistakes, how to write it instead.
    init(parsing text: String) throws(NotationError) {
        var rest = Substring(text).utf8
        guard !rest.isEmpty else { throw NotationError("Write an amount, for example 500m or 512Mi.") }
        guard rest.count <= Self.maximumLength else {
            throw NotationError("A quantity has at most \(Self.maximumLength) characters.")
        }

        var isNegative = false
        if let sign = rest.first, sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") {
            isNegative = sign == UInt8(ascii: "-")
            rest.removeFirst()
        }
        let whole = Self.takeDigits(from: &rest)
        var fraction = Substring().utf8
        if rest.first == UInt8(ascii: ".") {
            rest.removeFirst()
            fraction = Self.takeDigits(from: &rest)
        }
        guard whole.count + fraction.count > 0 else {
            throw NotationError("A quantity starts with a number, for example 500m or 512Mi.")
        }
        guard whole.count + fraction.count <= Self.maximumDigits else {
            throw NotationError("A quantity has at most \(Self.maximumDigits) digits.")
        }

        let (suffix, exponent) = try Self.parseUnit(rest)
        self.isNegative = isNegative
        self.digits = (Array(whole) + Array(fraction)).reduce(0) { $0 * 10 + UInt128($1 - UInt8(ascii: "0")) }
        self.power = exponent - fraction.count
        self.suffix = suffix
        self.hasFraction = !fraction.isEmpty
    }

    /// Counts how many units of `10^unitPower` the quantity holds, rounded up.
    ///
    /// - Returns: The count and whether it is exact, or nil if the count does not fit into 63 bits. The sign is left out.
    func units(ofPower unitPower: Int) -> (count: Int64, isExact: Bool)? {
        guard self.digits > 0 else { return (0, true) }
        var value = self.digits << UInt128(self.suffix.binaryPower)
        let exponent = self.power + self.suffix.decimalPower - unitPower
        // 10^39 needs more than 128 bits, and so does everything above it.
        guard exponent < 39 else { return nil }
        guard exponent > -39 else { return (1, false) }

        let factor = (0..<abs(exponent)).reduce(UInt128(1)) { power, _ in power &* 10 }
        var isExact = true
        if exponent >= 0 {
            let (product, overflow) = value.multipliedReportingOverflow(by: factor)
            guard !overflow else { return nil }
            value = product
        } else {
            let (quotient, remainder) = value.quotientAndRemainder(dividingBy: factor)
            isExact = remainder == 0
            value = isExact ? quotient : quotient + 1
        }
        guard let count = Int64(exactly: value) else { return nil }
        return (count, isExact)
    }

    private static func takeDigits(from rest: inout Substring.UTF8View) -> Substring.UTF8View {
        let digits = rest.prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        rest = rest[digits.endIndex...]
        return digits
    }

    private static func parseUnit(_ unit: Substring.UTF8View) throws(NotationError) -> (suffix: Suffix, exponent: Int) {
        let text = String(Substring(unit))
        // A lone E is exa; followed by an integer it starts an exponent.
        if let suffix = Suffix(rawValue: text) { return (suffix, 0) }
        if let mark = unit.first, mark == UInt8(ascii: "e") || mark == UInt8(ascii: "E") {
            var digits = unit.dropFirst()
            let sign = digits.first
            if sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") { digits.removeFirst() }
            var rest = digits
            if !Self.takeDigits(from: &rest).isEmpty, rest.isEmpty {
                // Beyond 10^±1000 every quantity is out of range, whatever its digits.
                let exponent = min(Int(String(Substring(digits))) ?? 1_000, 1_000)
                return (.one, sign == UInt8(ascii: "-") ? -exponent : exponent)
            }
        }
        throw NotationError(Self.hint(forUnit: text))
    }

    private static func hint(forUnit text: String) -> String {
        if text.contains(where: \.isWhitespace) { return "Write the quantity without spaces, for example 512Mi." }
        if text.contains(",") { return "Write a decimal point instead of a comma, for example 1.5." }
        let allowed = "The units are n, u, m, k, M, G, T, P, E and Ki, Mi, Gi, Ti, Pi, Ei, in exactly this case."
        guard let first = text.uppercased().first, "KMGTPE".contains(first),
            ["", "B", "I", "IB"].contains(text.uppercased().dropFirst())
        else { return allowed }
        return "\(allowed) Did you mean \(first)i?"
    }
}
