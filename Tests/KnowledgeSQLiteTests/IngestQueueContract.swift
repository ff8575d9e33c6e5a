import Foundation
import Knowledge
import Testing

/// What every ingestion queue has to keep its promise of.
///
/// Each check gets a queue that is empty.
struct IngestQueueContract {
    let makeQueue: (IngestQueueLimits) throws -> any IngestQueue

    func run() async throws {
        try await self.roundTrip()
        try await self.onlyWholeFiles()
        try await self.order()
        try await self.claimsRunOut()
        try await self.recovery()
        try await self.attempts()
        try await self.company()
        try await self.cancellation()
        try await self.limits()
    }

    private static let now = Date(timeIntervalSince1970: 2_000_000_000)

    private func queue(_ change: (inout IngestQueueLimits) -> Void = { _ in }) throws -> any IngestQueue {
        var limits = IngestQueueLimits()
        change(&limits)
        return try self.makeQueue(limits)
    }

    @discardableResult
    private func add(_ path: String, to job: String, _ queue: any IngestQueue) async throws -> Int64 {
        let item = try await queue.beginReceiving(path: path, job: job)
        try await queue.append(Array("one ".utf8), to: item)
        try await queue.append(Array("two".utf8), to: item)
        try await queue.finishReceiving(item)
        return item
    }

    private func claim(
        _ queue: any IngestQueue,
        worker: String = "w",
        limit: Int = 10,
        bytes: Int = 1000,
        at time: Date = now
    ) async throws -> [IngestItem] {
        try await queue.claim(worker: worker, limit: limit, maximumBytes: bytes, until: time + 60, now: time)
    }

    private static func outcome(_ status: String) -> IngestItemOutcome {
        var outcome = IngestItemOutcome(results: [])
        outcome.status = status
        return outcome
    }

    private func roundTrip() async throws {
        let queue = try self.queue()
        let job = try await queue.openJob(receiver: "r")
        let first = try await self.add("a", to: job, queue)
        let second = try await self.add("b", to: job, queue)
        try await queue.closeJob(job)
        #expect(try await queue.job(job)?.counts == [.queued: 2])
        let claimed = try await self.claim(queue)
        #expect(claimed.map(\.id) == [first, second])
        #expect(claimed.allSatisfy { $0.state == .running && $0.attempts == 1 && $0.byteCount == 7 })
        #expect(try await queue.content(of: first) == Array("one two".utf8))
        #expect(try await self.claim(queue).isEmpty)
        try await queue.finish([first: Self.outcome("added")], worker: "w")
        #expect(try await queue.job(job)?.state == .running)
        let failure = IngestItemOutcome(error: KnowledgeError(.malformed, "No \"good\"."))
        try await queue.finish([second: failure], worker: "w")
        let finished = try #require(try await queue.job(job))
        #expect(finished.state == .done)
        #expect(finished.finishedAt != nil)
        #expect(finished.counts == [.done: 1, .failed: 1])
        let items = try await queue.items(ofJob: job, after: 0, limit: 10)
        #expect(items.map(\.path) == ["a", "b"])
        #expect(items[1].outcome == failure)
        #expect(try await queue.items(ofJob: job, after: first, limit: 10).map(\.id) == [second])
        #expect(try await queue.content(of: first).isEmpty)
        #expect(try await queue.jobs(limit: 5).map(\.id) == [job])
        #expect(try await queue.job("x") == nil)
        #expect(try await queue.nextEvent() == nil)
    }

    private func onlyWholeFiles() async throws {
        let queue = try self.queue()
        let job = try await queue.openJob(receiver: "r")
        let item = try await queue.beginReceiving(path: "a", job: job)
        try await queue.append([1], to: item)
        #expect(try await self.claim(queue).isEmpty)
        try await queue.abandon(item, error: nil)
        let large = try await queue.beginReceiving(path: "b", job: job)
        try await queue.abandon(large, error: KnowledgeError(.tooLarge, "Too large."))
        try await queue.closeJob(job)
        #expect(try await queue.job(job)?.state == .done)
        #expect(
            try await queue.items(ofJob: job, after: 0, limit: 10).map(\.outcome?.failures.first?.code) == ["too_large"]
        )
    }

    /// Two versions of a file never overtake one another.
    private func order() async throws {
        let queue = try self.queue()
        let job = try await queue.openJob(receiver: "r")
        let old = try await self.add("a", to: job, queue)
        let new = try await self.add("a", to: job, queue)
        let other = try await self.add("b", to: job, queue)
        #expect(try await self.claim(queue).map(\.id) == [old, other])
        #expect(try await self.claim(queue, worker: "v").isEmpty)
        try await queue.finish([old: Self.outcome("added")], worker: "w")
        #expect(try await self.claim(queue, worker: "v").map(\.id) == [new])
        // By size: at least one, whatever it has.
        let third = try await self.add("c", to: job, queue)
        try await self.add("d", to: job, queue)
        #expect(try await self.claim(queue, bytes: 1).map(\.id) == [third])
    }

    private func claimsRunOut() async throws {
        let queue = try self.queue()
        let job = try await queue.openJob(receiver: "r")
        let item = try await self.add("a", to: job, queue)
        try await queue.closeJob(job)
        _ = try await self.claim(queue)
        #expect(try await queue.nextEvent() == Self.now + 60)
        try await queue.renew(worker: "w", until: Self.now + 100)
        #expect(try await self.claim(queue, worker: "v", at: Self.now + 61).isEmpty)
        #expect(try await self.claim(queue, worker: "v", at: Self.now + 101).map(\.attempts) == [2])
        // The first worker comes too late: what it says doesn't count any more.
        try await queue.finish([item: Self.outcome("added")], worker: "w")
        try await queue.giveBack([item], worker: "w", dueAt: Self.now, countsAttempt: true)
        #expect(try await queue.job(job)?.counts == [.running: 1])
        try await queue.finish([item: Self.outcome("added")], worker: "v")
        #expect(try await queue.job(job)?.state == .done)
    }

    private func recovery() async throws {
        let queue = try self.queue()
        let job = try await queue.openJob(receiver: "gone")
        try await self.add("a", to: job, queue)
        _ = try await self.claim(queue, worker: "gone")
        try await self.add("b", to: job, queue)
        let partial = try await queue.beginReceiving(path: "c", job: job)
        try await queue.append([1], to: partial)
        #expect(try await queue.workers() == ["gone"])
        try await queue.recover(from: ["gone"])
        #expect(try await queue.workers().isEmpty)
        #expect(try await queue.job(job)?.counts == [.queued: 2])
        let again = try await self.claim(queue)
        #expect(again.map(\.path) == ["a", "b"])
        try await queue.finish(
            Dictionary(uniqueKeysWithValues: again.map { ($0.id, Self.outcome("added")) }),
            worker: "w"
        )
        #expect(try await queue.job(job)?.state == .done)
    }

    private func attempts() async throws {
        let queue = try self.queue { $0.attempts = 2 }
        let job = try await queue.openJob(receiver: "r")
        let item = try await self.add("a", to: job, queue)
        try await queue.closeJob(job)
        _ = try await self.claim(queue)
        try await queue.giveBack([item], worker: "w", dueAt: Self.now, countsAttempt: false)
        _ = try await self.claim(queue)
        try await queue.giveBack([item], worker: "w", dueAt: Self.now + 5, countsAttempt: true)
        #expect(try await self.claim(queue).isEmpty)
        #expect(try await queue.nextEvent() == Self.now + 5)
        #expect(try await self.claim(queue, at: Self.now + 5).map(\.attempts) == [2])
        try await queue.recover(from: ["w"])
        #expect(try await self.claim(queue, at: Self.now + 5).isEmpty)
        #expect(try await queue.job(job)?.counts == [.failed: 1])
        #expect(try await queue.job(job)?.state == .done)
    }

    /// What may have ended the process twice doesn't take others with it a third time.
    private func company() async throws {
        let queue = try self.queue()
        let job = try await queue.openJob(receiver: "r")
        for path in ["a", "b", "c"] { try await self.add(path, to: job, queue) }
        for _ in 0..<2 {
            #expect(try await self.claim(queue, limit: 2).map(\.path) == ["a", "b"])
            try await queue.recover(from: ["w"])
        }
        #expect(try await self.claim(queue).map(\.path) == ["a"])
        #expect(try await self.claim(queue).map(\.path) == ["b"])
        #expect(try await self.claim(queue).map(\.path) == ["c"])
    }

    private func cancellation() async throws {
        let queue = try self.queue()
        let job = try await queue.openJob(receiver: "r")
        let first = try await self.add("a", to: job, queue)
        _ = try await self.claim(queue)
        try await self.add("b", to: job, queue)
        let arriving = try await queue.beginReceiving(path: "c", job: job)
        #expect(try await queue.cancel(job: job))
        await #expect(throws: KnowledgeError.self) { try await queue.finishReceiving(arriving) }
        #expect(try await self.claim(queue).isEmpty)
        try await queue.finish([first: Self.outcome("added")], worker: "w")
        let cancelled = try #require(try await queue.job(job))
        #expect(cancelled.state == .cancelled)
        #expect(cancelled.counts == [.done: 1, .cancelled: 2])
        #expect(try await queue.cancel(job: "x") == false)
    }

    private func limits() async throws {
        func expectFull(_ body: () async throws -> Void) async {
            let error = await #expect(throws: KnowledgeError.self) { try await body() }
            #expect(error?.code == .queueFull)
        }
        let queue = try self.queue {
            $0.openJobs = 1
            $0.itemsPerJob = 2
            $0.waitingBytes = 15
            $0.keptJobs = 1
        }
        let job = try await queue.openJob(receiver: "r")
        await expectFull { _ = try await queue.openJob(receiver: "r") }
        let first = try await self.add("a", to: job, queue)
        let second = try await self.add("b", to: job, queue)
        await expectFull { _ = try await queue.beginReceiving(path: "c", job: job) }
        await expectFull { try await queue.append([1, 2], to: second) }
        _ = try await self.claim(queue)
        try await queue.finish([first: Self.outcome("added"), second: Self.outcome("added")], worker: "w")
        try await queue.closeJob(job)
        for _ in 0..<2 {
            let next = try await queue.openJob(receiver: "r")
            try await queue.closeJob(next)
        }
        _ = try await queue.openJob(receiver: "r")
        #expect(try await queue.jobs(limit: 10).count == 2)
    }
}
