public import Foundation
import Synchronization

/// Ingests what waits in a queue, several batches at a time, for as long as it runs.
///
/// A batch is claimed, ingested and only then taken out of the queue. When the process dies in between, it is ingested
/// again, and what was written already costs nothing, as it is unchanged. A failure that says nothing about the file, such
/// as a busy store, is tried again later, each time after twice as long.
public final class IngestWorkers: Sendable {
    /// How the work is cut up.
    public struct Configuration: Sendable {
        /// How many batches are ingested at a time.
        public var workers = 2
        /// The most files of a batch: they are embedded together.
        public var batchFiles = 16
        /// The most bytes of a batch, unless one file has more.
        public var batchBytes = 4 << 20
        /// How long a claim holds unless it is renewed, which happens three times as often.
        public var claimTime = Duration.seconds(60)
        /// How long to wait before the second attempt.
        public var retryTime = Duration.seconds(1)

        /// Creates the defaults.
        public init() {}
    }

    public let queue: any IngestQueue
    private let base: KnowledgeBase
    private let configuration: Configuration
    private let onFailure: @Sendable (KnowledgeError) -> Void

    /// Something was put into the queue.
    private let arrivals = Wakeup()
    /// Something was finished.
    private let completions = Wakeup()
    /// Whether the queue tells what other processes do.
    private let hearsOthers = Atomic(false)
    /// What was told last of a queue that can't be used, until it can be again.
    private let failure = Mutex<String?>(nil)

    /// Creates workers.
    ///
    /// - Parameters:
    ///   - queue: Where the files are taken from.
    ///   - base: Where the documents in them go.
    ///   - configuration: How the work is cut up.
    ///   - onFailure: Told of errors of the queue itself, for the log: not at each attempt, but when there is something new.
    public init(
        queue: any IngestQueue,
        base: KnowledgeBase,
        configuration: Configuration = Configuration(),
        onFailure: @escaping @Sendable (KnowledgeError) -> Void = { _ in }
    ) {
        self.queue = queue
        self.base = base
        self.configuration = configuration
        self.onFailure = onFailure
    }

    /// Works until the task is cancelled.
    ///
    /// Files that are being ingested then go back to the queue.
    public func run() async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.renewClaims() }
            group.addTask { await self.listen() }
            for _ in 0..<max(1, self.configuration.workers) { group.addTask { await self.work() } }
        }
    }

    /// Tells the workers that something was put into the queue.
    public func notify() { self.arrivals.signal() }

    /// Waits for a job to be finished, until a time at most.
    ///
    /// - Returns: The job as it is then, or nothing if there is none.
    /// - Throws: ``KnowledgeError/Code/storeFailed``.
    public func wait(forJob id: String, until time: Date) async throws(KnowledgeError) -> IngestJob? {
        while true {
            let generation = self.completions.generation
            guard let job = try await self.queue.job(id) else { return nil }
            if job.state != .running || Date() >= time || Task.isCancelled { return job }
            // Of processes that can't be heard, what they have done has to be looked for.
            let isHeard = self.hearsOthers.load(ordering: .acquiring)
            await self.completions.wait(
                since: generation,
                until: isHeard ? time : min(time, Date(timeIntervalSinceNow: 1))
            )
        }
    }

    private func work() async {
        while !Task.isCancelled {
            let generation = self.arrivals.generation
            do throws(KnowledgeError) {
                let now = Date()
                try await self.recover()
                let items = try await self.queue.claim(
                    worker: WorkerIdentity.current,
                    limit: self.configuration.batchFiles,
                    maximumBytes: self.configuration.batchBytes,
                    until: now + self.configuration.claimTime.seconds,
                    now: now
                )
                self.failure.withLock { $0 = nil }
                guard items.isEmpty else {
                    try await self.ingest(items)
                    continue
                }
                await self.arrivals.wait(since: generation, until: try await self.queue.nextEvent())
            } catch {
                self.report(error)
                await self.arrivals.wait(since: generation, until: Date() + self.configuration.retryTime.seconds)
            }
        }
    }

    private func report(_ error: KnowledgeError) {
        guard error.code != .cancelled else { return }
        let isNew = self.failure.withLock { last in
            defer { last = error.message }
            return last != error.message
        }
        if isNew { self.onFailure(error) }
    }

    private func recover() async throws(KnowledgeError) {
        let gone = try await self.queue.workers().filter { WorkerIdentity.isGone($0) }
        if !gone.isEmpty { try await self.queue.recover(from: gone) }
    }

    private func ingest(_ items: [IngestItem]) async throws(KnowledgeError) {
        let queue = self.queue
        let files = items.map { item in
            SourceFile(path: item.path) { try await queue.content(of: item.id) }
        }
        do throws(KnowledgeError) {
            let report = try await self.base.ingest(files: files)
            try await self.settle(items, Dictionary(grouping: report.results) { $0.file ?? 0 })
        } catch {
            guard error.code == .cancelled || error.code == .storeFailed else {
                // Such as an index of another model: waiting doesn't help.
                let outcome = IngestItemOutcome(error: error)
                try await self.queue.finish(
                    Dictionary(uniqueKeysWithValues: items.map { ($0.id, outcome) }),
                    worker: WorkerIdentity.current
                )
                self.completions.signal()
                return
            }
            // It is the store that failed, or the server that ends, and not the files.
            await self.giveBack(items, countsAttempt: error.code != .cancelled)
            throw error
        }
        self.completions.signal()
        // Files with the same path may have waited for these.
        self.arrivals.signal()
    }

    private func settle(_ items: [IngestItem], _ results: [Int: [IngestResult]]) async throws(KnowledgeError) {
        var outcomes: [Int64: IngestItemOutcome] = [:]
        var again: [IngestItem] = []
        for (position, item) in items.enumerated() {
            let own = results[position] ?? []
            if own.contains(where: { $0.outcome.isTransientFailure }) {
                again.append(item)
            } else {
                outcomes[item.id] =
                    own.isEmpty ? IngestItemOutcome(error: .noDocuments(item.path)) : .init(results: own)
            }
        }
        try await self.queue.finish(outcomes, worker: WorkerIdentity.current)
        await self.giveBack(again, countsAttempt: true)
    }

    /// Gives files back although the task may be cancelled: it has to be done before the process ends.
    private func giveBack(_ items: [IngestItem], countsAttempt: Bool) async {
        for item in items {
            let wait = self.configuration.retryTime.seconds * Double(1 << min(item.attempts, 8))
            let dueAt = countsAttempt ? Date() + wait : Date()
            // Without a child task of its own, the call would be refused as cancelled.
            await Task {
                do throws(KnowledgeError) {
                    try await self.queue.giveBack(
                        [item.id],
                        worker: WorkerIdentity.current,
                        dueAt: dueAt,
                        countsAttempt: countsAttempt
                    )
                } catch { self.report(error) }
            }
            .value
        }
    }

    /// Passes on what other processes do.
    private func listen() async {
        var failures = 0
        while !Task.isCancelled {
            let start = ContinuousClock.now
            do throws(KnowledgeError) {
                defer {
                    self.hearsOthers.store(false, ordering: .releasing)
                    // Whoever relied on it looks now.
                    self.completions.signal()
                }
                return try await self.queue.listen { event in
                    self.hearsOthers.store(true, ordering: .releasing)
                    switch event {
                    case .queued: self.arrivals.signal()
                    case .jobFinished: self.completions.signal()
                    }
                }
            } catch {
                self.report(error)
            }
            failures = start.duration(to: .now) > .seconds(60) ? 0 : min(failures + 1, 5)
            try? await Task.sleep(for: self.configuration.retryTime * (1 << failures))
        }
    }

    private func renewClaims() async {
        while (try? await Task.sleep(for: self.configuration.claimTime / 3)) != nil {
            do throws(KnowledgeError) {
                let until = Date() + self.configuration.claimTime.seconds
                try await self.queue.renew(worker: WorkerIdentity.current, until: until)
            } catch { self.report(error) }
        }
    }
}

extension Duration {
    fileprivate var seconds: TimeInterval { self / .seconds(1) }
}

extension IngestResult.Outcome {
    /// Whether the file may be fine and something else wasn't.
    fileprivate var isTransientFailure: Bool {
        guard case .failed(let error) = self else { return false }
        return error.code == .storeFailed || error.code == .embeddingFailed
    }
}

extension KnowledgeError {
    fileprivate static func noDocuments(_ path: String) -> KnowledgeError {
        KnowledgeError(.emptyDocument, "\(path) holds no documents.")
    }
}
