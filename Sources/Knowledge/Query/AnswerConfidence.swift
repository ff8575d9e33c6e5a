import Foundation

/// How sure it is that the knowledge base holds what a question asks for.
///
/// Two signs are looked at, because each alone is weak: how near the best passages are in meaning, and how much of what
/// is special about the question's words, by their rarity in this index, stands in one passage. A word that the index
/// has never seen counts most, so the second sign adapts to each corpus by itself.
public struct AnswerConfidence: Sendable, Hashable {
    /// The estimated probability, from 0 to 1.
    public var probability: Double

    /// The best cosine between the question and a passage; nothing in a lexical search.
    public var similarity: Double?

    /// The share of the question's words, weighted by their rarity in the index, that stand together in the best
    /// passage.
    public var coverage: Double

    /// Whether the question is probably not answered by the knowledge base.
    public var isProbablyMissing: Bool { self.probability < 0.5 }

    /// Creates a confidence from its signs.
    public init(similarity: Double?, coverage: Double, calibration: ConfidenceCalibration = ConfidenceCalibration()) {
        self.similarity = similarity
        self.coverage = coverage
        self.probability = calibration.probability(similarity: similarity, coverage: coverage)
    }
}

/// The weights by which the signs of a confidence become a probability (logistic regression).
///
/// Fitted on 573 questions of three collections, each put to its own collection and to the two others, and moved a little
/// towards "answered", so that at most 3 % of a collection's own questions are flagged (docs/retrieval.md).
public struct ConfidenceCalibration: Sendable, Hashable {
    /// With vectors: the weights of the cosine and of the coverage, and the constant.
    public var cosineWeight = 8.7
    public var coverageWeight = 6.1
    public var bias = -5.25

    /// Without vectors: the weight of the coverage and the constant.
    public var lexicalCoverageWeight = 8.0
    public var lexicalBias = -4.0

    /// Creates the measured weights.
    public init() {}

    func probability(similarity: Double?, coverage: Double) -> Double {
        let sum =
            if let similarity {
                self.cosineWeight * similarity + self.coverageWeight * coverage + self.bias
            } else {
                self.lexicalCoverageWeight * coverage + self.lexicalBias
            }
        return 1 / (1 + exp(-sum))
    }
}
