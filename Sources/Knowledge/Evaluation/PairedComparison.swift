import Foundation

/// Compares two systems by their scores for the same questions.
///
/// The p-value is that of a paired randomisation test: how often a difference of the means at least as large comes about
/// when the two scores of each question are exchanged at random (Smucker, Allan and Carterette, "A Comparison of
/// Statistical Significance Tests for Information Retrieval Evaluation", 2007). The interval is the percentile bootstrap
/// over the questions. Both are seeded, so that the same scores always give the same figures.
public struct PairedComparison: Sendable, Hashable {
    /// How many random exchanges and samples are made.
    public static let rounds = 10_000

    /// How many questions both systems answered.
    public var count: Int
    public var firstMean: Double
    public var secondMean: Double
    /// Second minus first.
    public var difference: Double
    /// Holds the difference with 95 % confidence.
    public var interval: ClosedRange<Double>
    /// Two-sided; 1 if the scores are all the same.
    public var pValue: Double
    /// How many questions the second system does better.
    public var betterCount: Int
    /// How many questions the second system does worse.
    public var worseCount: Int

    /// Compares scores.
    ///
    /// - Parameters:
    ///   - first: A score for each question.
    ///   - second: The scores of the same questions, in the same order.
    ///   - seed: Begins the random numbers.
    /// - Precondition: Both have the same number of scores, at least one.
    public init(_ first: [Double], _ second: [Double], seed: UInt64 = 1) {
        precondition(first.count == second.count && !first.isEmpty, "Scores come in pairs.")
        let differences = zip(first, second).map { $1 - $0 }
        let count = Double(first.count)
        self.count = first.count
        self.firstMean = first.reduce(0, +) / count
        self.secondMean = second.reduce(0, +) / count
        self.difference = differences.reduce(0, +) / count
        self.betterCount = differences.count { $0 > 0 }
        self.worseCount = differences.count { $0 < 0 }
        var random = SplitMix64(seed: seed)
        self.pValue = Self.randomisation(differences, &random)
        self.interval = Self.bootstrap(differences, &random)
    }

    private static func randomisation(_ differences: [Double], _ random: inout SplitMix64) -> Double {
        // Questions without a difference say nothing, whichever way they are exchanged.
        let changes = differences.filter { $0 != 0 }
        guard !changes.isEmpty else { return 1 }
        // Sums in another order differ in the last bits.
        let observed = abs(changes.reduce(0, +)) - 1e-9
        var extreme = 0
        for _ in 0..<Self.rounds {
            var sum = 0.0
            var bits: UInt64 = 0
            for (index, change) in changes.enumerated() {
                if index.isMultiple(of: 64) { bits = random.next() }
                sum += bits & 1 == 0 ? change : -change
                bits >>= 1
            }
            if abs(sum) >= observed { extreme += 1 }
        }
        // The order that was observed is one of those that are possible.
        return Double(extreme + 1) / Double(Self.rounds + 1)
    }

    private static func bootstrap(_ differences: [Double], _ random: inout SplitMix64) -> ClosedRange<Double> {
        var means: [Double] = []
        means.reserveCapacity(Self.rounds)
        for _ in 0..<Self.rounds {
            var sum = 0.0
            for _ in differences.indices { sum += differences[Int.random(in: differences.indices, using: &random)] }
            means.append(sum / Double(differences.count))
        }
        means.sort()
        return means[Self.rounds * 25 / 1000]...means[Self.rounds * 975 / 1000]
    }
}

/// Random numbers that are the same on every run (Steele, Lea and Flood, "Fast Splittable Pseudorandom Number
/// Generators", 2014).
struct SplitMix64: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { self.state = seed }

    mutating func next() -> UInt64 {
        self.state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = self.state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
