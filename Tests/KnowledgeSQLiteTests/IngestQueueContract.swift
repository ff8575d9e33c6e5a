import Foundation
import Knowledge
import Testing

/// What every ingestion queue has to keep its promise of.
///
/// Each check gets a queue that is empty.
struct IngestQueueContract {
    let makeQueue: (IngestQueueLimits) async throws -> any IngestQueue

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
        try await self.receiversRunOut()
        try await self.closedJobs()
        try await self.lateFinish()
        try await self.sharing()
    }

    private static let now = Date(timeIntervalSince1970: 2_000_000_000)

    private func queue(_ change: (inout IngestQueueLimits) -> Void = { _ in }) async throws -> any IngestQueue {
        var limits = IngestQueueLimits()
        change(&limits)
        return try await self.makeQueue(limits)
    }

    @discardableResult
    private func add(_ path: String, to job: String, _ queue: any IngestQueue) async throws -> Int64 {
        let item = try await queue.beginReceiving(path: path, job: job)
        try await queue.append(Array("one ".utf8), to: item)
        try await queue.append(Array("two".utf8), to: item)
        try await queue.finishReceiving(item)
        return item
    }

    private static func claim(
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
        let queue = try await self.queue()
        let job = try await queue.openJob(receiver: "r", until: Self.now + 1000)
        let first = try await self.add("a", to: job, queue)
        let second = try await self.add("b", to: job, queue)
        try await queue.closeJob(job)
        #expect(try await queue.job(job)?.counts == [.queued: 2])
        let claimed = try await Self.claim(queue)
        #expect(claimed.map(\.id) == [first, second])
        #expect(claimed.allSatisfy { $0.state == .running && $0.attempts == 1 && $0.byteCount == 7 })
        #expect(try await queue.content(of: first) == Array("one two".utf8))
        #expect(try await Self.claim(queue).isEmpty)
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
        let queue = try await self.queue()
        let job = try await queue.openJob(receiver: "r", until: Self.now + 1000)
        let item = try await queue.beginReceiving(path: "a", job: job)
        try await queue.append([1], to: item)
        #expect(try await Self.claim(queue).isEmpty)
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
        let queue = try await self.queue()
        let job = try await queue.openJob(receiver: "r", until: Self.now + 1000)
        let old = try await self.add("a", to: job, queue)
        let new = try await self.add("a", to: job, queue)
        let other = try await self.add("b", to: job, queue)
        #expect(try await Self.claim(queue).map(\.id) == [old, other])
        #expect(try await Self.claim(queue, worker: "v").isEmpty)
        try await queue.finish([old: Self.outcome("added")], worker: "w")
        #expect(try await Self.claim(queue, worker: "v").map(\.id) == [new])
        // By size: at least one, whatever it has.
        let third = try await self.add("c", to: job, queue)
        try await self.add("d", to: job, queue)
        #expect(try await Self.claim(queue, bytes: 1).map(\.id) == [third])
    }

    private func claimsRunOut() async throws {
        let queue = try await self.queue()
        let job = try await queue.openJob(receiver: "r", until: Self.now + 1000)
        let item = try await self.add("a", to: job, queue)
        try await queue.closeJob(job)
        _ = try await Self.claim(queue)
        #expect(try await queue.nextEvent() == Self.now + 60)
        try await queue.renew(worker: "w", until: Self.now + 100)
        #expect(try await Self.claim(queue, worker: "v", at: Self.now + 61).isEmpty)
        #expect(try await Self.claim(queue, worker: "v", at: Self.now + 101).map(\.attempts) == [2])
        // The first worker comes too late: what it says doesn't count any more.
        try await queue.finish([item: Self.outcome("added")], worker: "w")
        try await queue.giveBack([item], worker: "w", dueAt: Self.now, countsAttempt: true)
        #expect(try await queue.job(job)?.counts == [.running: 1])
        try await queue.finish([item: Self.outcome("added")], worker: "v")
        #expect(try await queue.job(job)?.state == .done)
    }

    private func recovery() async throws {
        let queue = try await self.queue()
        let job = try await queue.openJob(receiver: "gone", until: Self.now + 1000)
        try await self.add("a", to: job, queue)
        _ = try await Self.claim(queue, worker: "gone")
        try await self.add("b", to: job, queue)
        let partial = try await queue.beginReceiving(path: "c", job: job)
        try await queue.append([1], to: partial)
        #expect(try await queue.workers() == ["gone"])
        try await queue.recover(from: ["gone"])
        #expect(try await queue.workers().isEmpty)
        #expect(try await queue.job(job)?.counts == [.queued: 2])
        let again = try await Self.claim(queue)
        #expect(again.map(\.path) == ["a", "b"])
        try await queue.finish(
            Dictionary(uniqueKeysWithValues: again.map { ($0.id, Self.outcome("added")) }),
            worker: "w"
        )
        #expect(try await queue.job(job)?.state == .done)
    }

    private func attempts() async throws {
        let queue = try await self.queue { $0.attempts = 2 }
        let job = try await queue.openJob(receiver: "r", until: Self.now + 1000)
        let item = try await self.add("a", to: job, queue)
        try await queue.closeJob(job)
        _ = try await Self.claim(queue)
        try await queue.giveBack([item], worker: "w", dueAt: Self.now, countsAttempt: false)
        _ = try await Self.claim(queue)
        try await queue.giveBack([item], worker: "w", dueAt: Self.now + 5, countsAttempt: true)
        #expect(try await Self.claim(queue).isEmpty)
        #expect(try await queue.nextEvent() == Self.now + 5)
        #expect(try await Self.claim(queue, at: Self.now + 5).map(\.attempts) == [2])
        try await queue.recover(from: ["w"])
        #expect(try await Self.claim(queue, at: Self.now + 5).isEmpty)
        #expect(try await queue.job(job)?.counts == [.failed: 1])
        #expect(try await queue.job(job)?.state == .done)
    }

    /// What may have ended the process twice doesn't take others with it a third time.
    private func company() async throws {
        let queue = try await self.queue()
        let job = try await queue.openJob(receiver: "r", until: Self.now + 1000)
        for path in ["a", "b", "c"] { try await self.add(path, to: job, queue) }
        for _ in 0..<2 {
            #expect(try await Self.claim(queue, limit: 2).map(\.path) == ["a", "b"])
            try await queue.recover(from: ["w"])
        }
        #expect(try await Self.claim(queue).map(\.path) == ["a"])
        #expect(try await Self.claim(queue).map(\.path) == ["b"])
        #expect(try await Self.claim(queue).map(\.path) == ["c"])
    }

    private func cancellation() async throws {
        let queue = try await self.queue()
        let job = try await queue.openJob(receiver: "r", until: Self.now + 1000)
        let first = try await self.add("a", to: job, queue)
        _ = try await Self.claim(queue)
        try await self.add("b", to: job, queue)
        let arriving = try await queue.beginReceiving(path: "c", job: job)
        #expect(try await queue.cancel(job: job))
        await #expect(throws: KnowledgeError.self) { try await queue.finishReceiving(arriving) }
        #expect(try await Self.claim(queue).isEmpty)
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
        let queue = try await self.queue {
            $0.openJobs = 1
            $0.itemsPerJob = 2
            $0.waitingBytes = 15
            $0.keptJobs = 1
        }
        let job = try await queue.openJob(receiver: "r", until: Self.now + 1000)
        await expectFull { _ = try await queue.openJob(receiver: "r", until: Self.now + 1000) }
        let first = try await self.add("a", to: job, queue)
        let second = try await queue.beginReceiving(path: "b", job: job)
        await expectFull { _ = try await queue.beginReceiving(path: "c", job: job) }
        try await queue.append(Array("one two".utf8), to: second)
        await expectFull { try await queue.append([1, 2], to: second) }
        try await queue.finishReceiving(second)
        #expect(try await queue.content(of: second).count == 7)
        _ = try await Self.claim(queue)
        try await queue.finish([first: Self.outcome("added"), second: Self.outcome("added")], worker: "w")
        try await queue.closeJob(job)
        for _ in 0..<2 {
            let next = try await queue.openJob(receiver: "r", until: Self.now + 1000)
            try await queue.closeJob(next)
        }
        _ = try await queue.openJob(receiver: "r", until: Self.now + 1000)
        #expect(try await queue.jobs(limit: 10).count == 2)
    }

    /// A process that takes files in and isn't heard of any more leaves nothing half there, wherever it ran.
    private func receiversRunOut() async throws {
        let queue = try await self.queue()
        let job = try await queue.openJob(receiver: "elsewhere", until: Self.now + 60)
        try await self.add("a", to: job, queue)
        let partial = try await queue.beginReceiving(path: "b", job: job)
        try await queue.append([1], to: partial)
        #expect(try await Self.claim(queue).map(\.path) == ["a"])
        #expect(try await queue.nextEvent() == Self.now + 60)
        // As long as it is heard of, it has time.
        try await queue.renew(worker: "elsewhere", until: Self.now + 100)
        try await queue.renew(worker: "w", until: Self.now + 200)
        #expect(try await Self.claim(queue, at: Self.now + 99).isEmpty)
        #expect(try await queue.job(job)?.counts == [.running: 1, .receiving: 1])
        #expect(try await queue.nextEvent() == Self.now + 100)
        #expect(try await Self.claim(queue, at: Self.now + 100).isEmpty)
        #expect(try await queue.job(job)?.counts == [.running: 1])
        await Self.expectClosed { try await queue.append([2], to: partial) }
        await Self.expectClosed { try await queue.finishReceiving(partial) }
    }

    /// A job that was closed, cancelled or given up takes no more files, which nobody would tell about.
    private func closedJobs() async throws {
        let queue = try await self.queue()
        let closed = try await queue.openJob(receiver: "r", until: Self.now + 1000)
        try await queue.closeJob(closed)
        await Self.expectClosed { _ = try await queue.beginReceiving(path: "a", job: closed) }
        let cancelled = try await queue.openJob(receiver: "r", until: Self.now + 1000)
        let arriving = try await queue.beginReceiving(path: "a", job: cancelled)
        #expect(try await queue.cancel(job: cancelled))
        await Self.expectClosed { try await queue.append([1], to: arriving) }
        await Self.expectClosed { _ = try await queue.beginReceiving(path: "b", job: cancelled) }
        await Self.expectClosed { _ = try await queue.beginReceiving(path: "b", job: "x") }
    }

    /// Of two versions, the one that began to arrive first may be whole last; they still aren't ingested together.
    private func lateFinish() async throws {
        let queue = try await self.queue()
        let job = try await queue.openJob(receiver: "r", until: Self.now + 1000)
        let slow = try await queue.beginReceiving(path: "a", job: job)
        let fast = try await self.add("a", to: job, queue)
        #expect(try await Self.claim(queue).map(\.id) == [fast])
        try await queue.append([1], to: slow)
        try await queue.finishReceiving(slow)
        #expect(try await Self.claim(queue, worker: "v").isEmpty)
        try await queue.finish([fast: Self.outcome("added")], worker: "w")
        #expect(try await Self.claim(queue, worker: "v").map(\.id) == [slow])
    }

    private actor Paths {
        private var paths: Set<String> = []

        func begin(_ path: String) -> Bool { self.paths.insert(path).inserted }
        func end(_ path: String) { self.paths.remove(path) }
    }

    /// Many workers at once: each file goes to one of them, versions of a file stay apart, and the job ends.
    private func sharing() async throws {
        let queue = try await self.queue()
        let job = try await queue.openJob(receiver: "r", until: Self.now + 1000)
        for number in 0..<24 { try await self.add("f\(number % 8)", to: job, queue) }
        try await queue.closeJob(job)
        let underWay = Paths()
        let taken = try await withThrowingTaskGroup(of: [Int64].self) { group in
            for number in 0..<6 {
                group.addTask {
                    var taken: [Int64] = []
                    while try await queue.job(job)?.state == .running {
                        let items = try await Self.claim(queue, worker: "w\(number)", limit: 2)
                        for item in items {
                            #expect(await underWay.begin(item.path), "\(item.path) twice")
                        }
                        for item in items { await underWay.end(item.path) }
                        try await queue.finish(
                            Dictionary(uniqueKeysWithValues: items.map { ($0.id, Self.outcome("added")) }),
                            worker: "w\(number)"
                        )
                        taken += items.map(\.id)
                    }
                    return taken
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        #expect(taken.count == 24)
        #expect(Set(taken).count == 24)
        #expect(try await queue.job(job)?.counts == [.done: 24])
    }

    private static func expectClosed(_ body: () async throws -> Void) async {
        let error = await #expect(throws: KnowledgeError.self) { try await body() }
        #expect(error?.code == .cancelled)
    }
}
