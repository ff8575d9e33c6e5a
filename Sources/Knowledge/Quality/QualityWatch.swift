public import Foundation
import Synchronization

/// Watches how well questions are answered: how sure answers are, how many are empty, and how long they take.
///
/// It counts in periods of an hour and keeps a week of them, so its size doesn't depend on how much is asked. The counts
/// are those of this process.
public final class QualityWatch: Sendable {
    /// One answered question.
    public struct Observation: Sendable {
        public var query: String
        /// The identifier of the answer, by which feedback can refer to it.
        public var answerID: String
        /// How many passages there were.
        public var resultCount: Int
        /// The highest cosine of the passages, or nothing without vectors.
        public var bestSimilarity: Double?
        /// Whether the answer is doubtful: empty, or flagged as probably not in the knowledge base.
        public var isLowConfidence: Bool
        /// Whether it came from the cache.
        public var isCached: Bool
        /// How long it took.
        public var duration: Duration

        /// Creates an observation.
        public init(
            query: String,
            answerID: String,
            resultCount: Int,
            bestSimilarity: Double?,
            isLowConfidence: Bool,
            isCached: Bool,
            duration: Duration
        ) {
            self.query = query
            self.answerID = answerID
            self.resultCount = resultCount
            self.bestSimilarity = bestSimilarity
            self.isLowConfidence = isLowConfidence
            self.isCached = isCached
            self.duration = duration
        }
    }

    /// What happened in some time.
    public struct Period: Sendable, Hashable {
        public var queryCount = 0
        public var emptyCount = 0
        public var lowConfidenceCount = 0
        public var cachedCount = 0
        /// How many best cosines there were from 0 to 1, in steps of 0.05; what is below 0 counts as 0.
        public var similarities = [Int](repeating: 0, count: 20)
        /// How many answers took less than 1, 2, 4, … 16,384 ms, and at the end how many took longer.
        public var milliseconds = [Int](repeating: 0, count: 16)

        /// The share of questions without any passage, or nothing without questions.
        public var emptyRate: Double? { self.rate(self.emptyCount) }
        /// The share of doubtful answers.
        public var lowConfidenceRate: Double? { self.rate(self.lowConfidenceCount) }
        /// The share of answers from the cache.
        public var cachedRate: Double? { self.rate(self.cachedCount) }

        private func rate(_ count: Int) -> Double? {
            self.queryCount == 0 ? nil : Double(count) / Double(self.queryCount)
        }

        mutating func add(_ observation: Observation) {
            self.queryCount += 1
            if observation.resultCount == 0 { self.emptyCount += 1 }
            if observation.isLowConfidence { self.lowConfidenceCount += 1 }
            if observation.isCached { self.cachedCount += 1 }
            if let similarity = observation.bestSimilarity, similarity.isFinite {
                self.similarities[min(19, max(0, Int(similarity * 20)))] += 1
            }
            let (seconds, attoseconds) = observation.duration.components
            let whole = max(0, seconds * 1000 + attoseconds / 1_000_000_000_000_000)
            var step = 0
            while step < 15, whole >= Int64(1) << Int64(step) { step += 1 }
            self.milliseconds[step] += 1
        }

        mutating func add(_ other: Period) {
            self.queryCount += other.queryCount
            self.emptyCount += other.emptyCount
            self.lowConfidenceCount += other.lowConfidenceCount
            self.cachedCount += other.cachedCount
            for index in self.similarities.indices { self.similarities[index] += other.similarities[index] }
            for index in self.milliseconds.indices { self.milliseconds[index] += other.milliseconds[index] }
        }
    }

    /// A question that got no passage, or a doubtful one.
    public struct Unanswered: Sendable, Hashable {
        /// The question, at most 200 characters of it.
        public var query: String
        public var bestSimilarity: Double?
        public var askedAt: Date
        /// How often the same text was asked in a row of those that are remembered.
        public var count: Int
    }

    private struct State {
        /// Periods by their hour since 1970.
        var periods: [Int: Period] = [:]
        var unanswered: [Unanswered] = []
        /// Questions by answer, and the order in which they came.
        var questions: [String: String] = [:]
        var answerIDs: [String] = []
    }

    /// How many hours are kept.
    static let keptHours = 168
    /// How many unanswered questions are kept.
    static let keptUnanswered = 100
    /// How many answers are kept that feedback can refer to.
    static let keptAnswers = 2_000

    private let state = Mutex(State())

    /// Creates a watch that has seen nothing.
    public init() {}

    /// Takes one answered question in.
    public func observe(_ observation: Observation, at now: Date) {
        let hour = Self.hour(now)
        self.state.withLock { state in
            state.periods[hour, default: Period()].add(observation)
            if state.periods.count > Self.keptHours {
                state.periods = state.periods.filter { $0.key > hour - Self.keptHours }
            }
            if observation.resultCount == 0 || observation.isLowConfidence {
                Self.note(observation, at: now, in: &state.unanswered)
            }
            if state.questions.updateValue(String(observation.query.prefix(4000)), forKey: observation.answerID) == nil
            {
                state.answerIDs.append(observation.answerID)
                if state.answerIDs.count > Self.keptAnswers {
                    state.questions[state.answerIDs.removeFirst()] = nil
                }
            }
        }
    }

    /// The question that an answer belongs to, if it is among the latest.
    public func question(ofAnswer id: String) -> String? {
        self.state.withLock { $0.questions[id] }
    }

    /// What happened in the last hours, the running one included.
    public func total(hours: Int, at now: Date) -> Period {
        let last = Self.hour(now)
        return self.state.withLock { state in
            var total = Period()
            for (hour, period) in state.periods where hour > last - hours && hour <= last { total.add(period) }
            return total
        }
    }

    /// The latest questions without a good answer, the newest first.
    public var unanswered: [Unanswered] {
        self.state.withLock { $0.unanswered.reversed() }
    }

    private static func note(_ observation: Observation, at now: Date, in unanswered: inout [Unanswered]) {
        let query = String(observation.query.prefix(200))
        var count = 1
        if let index = unanswered.firstIndex(where: { $0.query == query }) {
            count += unanswered.remove(at: index).count
        }
        unanswered.append(
            Unanswered(query: query, bestSimilarity: observation.bestSimilarity, askedAt: now, count: count)
        )
        if unanswered.count > Self.keptUnanswered { unanswered.removeFirst() }
    }

    private static func hour(_ date: Date) -> Int { Int((date.timeIntervalSince1970 / 3600).rounded(.down)) }
}
