public import Foundation
import Synchronization

/// Remembers answers for questions that are asked again, in the same words or in words that mean the same for certain.
///
/// An answer is found again by a question that is the same text (``QuestionFingerprint/normalised``), or by one whose
/// meaningful words are the same in the same order and whose vector is close enough. It serves only for the state of the
/// index from which it was made, for the same options (filters and access labels among them) and for the same
/// principal, so a change of any document makes all answers from before it useless at once.
public final class SemanticCache: Sendable {
    /// The most that is remembered, and for how long.
    public struct Limits: Sendable {
        /// The most answers.
        public var maximumEntries = 2_000
        /// The most bytes of all answers together, roughly counted.
        public var maximumBytes = 64 << 20
        /// How long an answer is good, in seconds.
        public var lifetime: TimeInterval = 3600
        /// The cosine that another wording has to reach at least.
        public var minimumCosine: Float = 0.9

        /// Creates the defaults.
        public init() {}
    }

    /// What has been found, missed and saved since the start.
    public struct Statistics: Sendable, Hashable {
        /// Answers found by the same text.
        public var exactHits = 0
        /// Answers found by another wording.
        public var similarHits = 0
        public var misses = 0
        /// Answers dropped because there was no room.
        public var evictions = 0
        /// Answers dropped because the index changed or they were too old.
        public var invalidations = 0
        /// The time that making the found answers took when they were made, less what finding them took.
        public var savedTime = Duration.zero
        /// How many answers are remembered now.
        public var entries = 0
        /// How many bytes they take, roughly.
        public var bytes = 0
    }

    /// What an answer is good for, beside its question.
    struct Scope: Sendable, Hashable {
        /// The generation of the index.
        var generation: Int64
        /// All options that change the answer, the filter and the access labels among them.
        var options: KnowledgeQueryOptions
        /// Whose question it is.
        var principal: String
    }

    private struct Key: Hashable {
        var scope: Scope
        var words: [String]
    }

    private struct Entry {
        /// All wordings, the first as it was asked.
        var texts: [String]
        var answer: KnowledgeAnswer
        /// The vector of the first wording, once it was needed.
        var vector: [Float]?
        /// How long it took to make.
        var cost: Duration
        var bytes: Int
        var expiry: Date
        var lastUse: UInt64
    }

    private struct State {
        var entries: [Key: Entry] = [:]
        var statistics = Statistics()
        var bytes = 0
        var clock: UInt64 = 0
        var generation: Int64 = 0
    }

    private let limits: Limits
    private let state = Mutex(State())

    /// Creates an empty cache.
    public init(limits: Limits = Limits()) {
        self.limits = limits
    }

    /// What has been found, missed and saved since the start.
    public var statistics: Statistics {
        self.state.withLock { state in
            var statistics = state.statistics
            statistics.entries = state.entries.count
            statistics.bytes = state.bytes
            return statistics
        }
    }

    /// Drops the answers of older states of the index.
    public func invalidate(before generation: Int64) {
        self.state.withLock { self.drop(&$0, before: generation) }
    }

    /// Looks an answer up.
    ///
    /// - Parameters:
    ///   - question: The question.
    ///   - scope: What the answer has to be good for.
    ///   - now: The present time.
    ///   - embed: Makes vectors of texts, or nothing without a model. It is asked only if the same words are remembered
    ///     in another wording.
    /// - Returns: The answer, if there is one.
    /// - Throws: What `embed` throws.
    func find(
        _ question: QuestionFingerprint,
        in scope: Scope,
        now: Date,
        embed: ([String]) async throws(KnowledgeError) -> [[Float]]?
    ) async throws(KnowledgeError) -> KnowledgeAnswer? {
        let start = ContinuousClock.now
        let key = Key(scope: scope, words: Self.words(of: question))
        let (exact, candidate): (KnowledgeAnswer?, Entry?) = self.state.withLock { state in
            self.drop(&state, before: scope.generation)
            guard let entry = state.entries[key], entry.expiry > now else {
                if state.entries[key] != nil { self.remove(key, from: &state, isEviction: false) }
                return (nil, nil)
            }
            guard entry.texts.contains(question.normalised) else { return (nil, entry) }
            return (self.use(key, of: &state, isExact: true, since: start), nil)
        }
        if let exact { return exact }
        guard let candidate, let vectors = try await Self.vectors(of: question, candidate, embed) else {
            self.state.withLock { $0.statistics.misses += 1 }
            return nil
        }
        let cosine = zip(vectors.candidate, vectors.own).reduce(0) { $0 + $1.0 * $1.1 }
        return self.state.withLock { state in
            // Meanwhile the entry may have gone, or have been made anew.
            guard cosine >= self.limits.minimumCosine, state.entries[key]?.texts.first == candidate.texts.first else {
                state.statistics.misses += 1
                return nil
            }
            state.entries[key]?.vector = vectors.candidate
            if candidate.texts.count < Self.maximumTexts { state.entries[key]?.texts.append(question.normalised) }
            return self.use(key, of: &state, isExact: false, since: start)
        }
    }

    private static func vectors(
        of question: QuestionFingerprint,
        _ candidate: Entry,
        _ embed: ([String]) async throws(KnowledgeError) -> [[Float]]?
    ) async throws(KnowledgeError) -> (candidate: [Float], own: [Float])? {
        if let known = candidate.vector {
            guard let own = try await embed([question.normalised])?.first else { return nil }
            return (known, own)
        }
        guard let vectors = try await embed([candidate.texts[0], question.normalised]), vectors.count == 2 else {
            return nil
        }
        return (vectors[0], vectors[1])
    }

    /// Remembers an answer.
    ///
    /// - Parameters:
    ///   - answer: The answer. It is dropped if it is of another generation than the scope, or too large.
    ///   - question: What it answers.
    ///   - scope: What it is good for.
    ///   - cost: How long it took to make.
    ///   - now: The present time.
    func insert(
        _ answer: KnowledgeAnswer,
        for question: QuestionFingerprint,
        in scope: Scope,
        cost: Duration,
        now: Date
    ) {
        guard answer.generation == scope.generation else { return }
        let bytes = Self.bytes(of: answer, question)
        guard bytes <= self.limits.maximumBytes / 16 else { return }
        let key = Key(scope: scope, words: Self.words(of: question))
        self.state.withLock { state in
            guard scope.generation >= state.generation else { return }
            self.drop(&state, before: scope.generation)
            if state.entries[key] != nil { self.remove(key, from: &state, isEviction: false) }
            while state.entries.count >= self.limits.maximumEntries || state.bytes + bytes > self.limits.maximumBytes {
                guard let oldest = state.entries.min(by: { $0.value.lastUse < $1.value.lastUse })?.key else { break }
                self.remove(oldest, from: &state, isEviction: true)
            }
            state.clock += 1
            state.bytes += bytes
            state.entries[key] = Entry(
                texts: [question.normalised],
                answer: answer,
                vector: nil,
                cost: cost,
                bytes: bytes,
                expiry: now.addingTimeInterval(self.limits.lifetime),
                lastUse: state.clock
            )
        }
    }

    /// How many wordings of one question are remembered.
    private static let maximumTexts = 16

    /// A question without any meaningful word is found by its text alone.
    private static func words(of question: QuestionFingerprint) -> [String] {
        question.words.isEmpty ? ["", question.normalised] : question.words
    }

    private func use(
        _ key: Key,
        of state: inout State,
        isExact: Bool,
        since start: ContinuousClock.Instant
    ) -> KnowledgeAnswer? {
        guard let entry = state.entries[key] else { return nil }
        state.clock += 1
        state.entries[key]?.lastUse = state.clock
        if isExact { state.statistics.exactHits += 1 } else { state.statistics.similarHits += 1 }
        state.statistics.savedTime += max(.zero, entry.cost - (.now - start))
        return entry.answer
    }

    /// Answers of an older state of the index can't be asked for any more.
    private func drop(_ state: inout State, before generation: Int64) {
        guard generation > state.generation else { return }
        state.generation = generation
        state.statistics.invalidations += state.entries.count
        state.entries = [:]
        state.bytes = 0
    }

    private func remove(_ key: Key, from state: inout State, isEviction: Bool) {
        guard let entry = state.entries.removeValue(forKey: key) else { return }
        state.bytes -= entry.bytes
        if isEviction { state.statistics.evictions += 1 } else { state.statistics.invalidations += 1 }
    }

    /// Roughly, the wordings and the vector that may come later among them.
    private static func bytes(of answer: KnowledgeAnswer, _ question: QuestionFingerprint) -> Int {
        let results = answer.results.reduce(0) { sum, result in
            sum + result.text.utf8.count + result.title.utf8.count + result.source.utf8.count
                + result.documentID.utf8.count + result.headingPath.reduce(0) { $0 + $1.utf8.count + 16 } + 512
        }
        return results + question.normalised.utf8.count * 4 + 4096
    }
}
