public import Foundation

/// Files that wait to be ingested, kept where the documents are, so that they survive a restart.
///
/// Several processes may share a queue, each with workers of its own. Their clocks decide when a claim has run out, so they
/// may differ by much less than a claim lasts.
///
/// A file is taken in piece by piece and counts only once ``finishReceiving(_:)`` has returned: then its bytes are
/// durable, and it will be ingested whatever happens to the process. Workers claim files for a time and have to renew the
/// claim; a claim that ran out, or whose worker is known to be gone, falls back to the queue. Of files with the same path,
/// one is ingested at a time, in the order in which they were taken in.
public protocol IngestQueue: Sendable {
    /// Begins a job to which files are added.
    ///
    /// - Parameters:
    ///   - receiver: The process that adds them; see ``WorkerIdentity``.
    ///   - until: When the process counts as gone, as in ``recover(from:)``, unless it renews its claims.
    /// - Returns: The identifier of the job, which can't be guessed.
    /// - Throws: ``KnowledgeError/Code/queueFull`` if there are too many unfinished jobs.
    func openJob(receiver: String, until: Date) async throws(KnowledgeError) -> String

    /// Says that no more files come; a job is done when all its files are.
    func closeJob(_ id: String) async throws(KnowledgeError)

    /// Begins to take in a file.
    ///
    /// - Returns: Its number.
    /// - Throws: ``KnowledgeError/Code/queueFull`` if the job has too many files, ``KnowledgeError/Code/cancelled`` if it
    ///   takes none any more.
    func beginReceiving(path: String, job: String) async throws(KnowledgeError) -> Int64

    /// Adds bytes to a file that is being taken in.
    ///
    /// - Throws: ``KnowledgeError/Code/queueFull`` if too many bytes wait in all, ``KnowledgeError/Code/cancelled`` if the
    ///   job was cancelled meanwhile.
    func append(_ bytes: [UInt8], to item: Int64) async throws(KnowledgeError)

    /// Makes a file durable and queues it.
    func finishReceiving(_ item: Int64) async throws(KnowledgeError)

    /// Forgets a file that didn't arrive whole, or, with a reason, keeps that it failed.
    func abandon(_ item: Int64, error: KnowledgeError?) async throws(KnowledgeError)

    /// Takes files to ingest, oldest first.
    ///
    /// - Parameters:
    ///   - worker: Who takes them; see ``WorkerIdentity``.
    ///   - limit: The most files.
    ///   - maximumBytes: The most bytes of all together, but at least one file. A file that was begun
    ///     ``IngestQueueLimits/attemptsInCompany`` times comes alone.
    ///   - until: When the claim runs out unless it is renewed.
    ///   - now: The present time.
    /// - Returns: The files; none if nothing is due.
    /// - Throws: ``KnowledgeError/Code/storeFailed``.
    func claim(
        worker: String,
        limit: Int,
        maximumBytes: Int,
        until: Date,
        now: Date
    ) async throws(KnowledgeError) -> [IngestItem]

    /// Returns the bytes of a file.
    func content(of item: Int64) async throws(KnowledgeError) -> [UInt8]

    /// Puts off the end of all claims of a worker, and of what it takes in.
    func renew(worker: String, until: Date) async throws(KnowledgeError)

    /// Keeps what became of files and forgets their bytes.
    func finish(_ outcomes: [Int64: IngestItemOutcome], worker: String) async throws(KnowledgeError)

    /// Gives files back to the queue, to be tried again from a time on.
    ///
    /// - Parameters:
    ///   - items: The numbers of the files.
    ///   - worker: Who has claimed them; what someone else has by now stays with them.
    ///   - dueAt: When they may be claimed again.
    ///   - countsAttempt: Whether the attempt counts; one that was cut off by a shutdown doesn't.
    /// - Throws: ``KnowledgeError/Code/storeFailed``.
    func giveBack(
        _ items: [Int64],
        worker: String,
        dueAt: Date,
        countsAttempt: Bool
    ) async throws(KnowledgeError)

    /// Returns who has claimed files, or takes some in.
    func workers() async throws(KnowledgeError) -> Set<String>

    /// Gives the claims of processes that are gone back to the queue, forgets what they hadn't taken in whole, and closes
    /// their jobs.
    func recover(from workers: Set<String>) async throws(KnowledgeError)

    /// Returns when the next file is due or the next claim runs out, or nothing if neither will happen.
    func nextEvent() async throws(KnowledgeError) -> Date?

    /// Tells what other processes do with the queue, until the task is cancelled.
    ///
    /// It begins with one event of each kind, as soon as nothing more is missed. It returns if no other process can be
    /// heard.
    ///
    /// - Throws: ``KnowledgeError/Code/storeFailed`` when nothing can be heard any more; then it is called again.
    func listen(_ heard: @Sendable (IngestQueueEvent) -> Void) async throws(KnowledgeError)

    /// Returns a job, or nothing if there is none of this identifier.
    func job(_ id: String) async throws(KnowledgeError) -> IngestJob?

    /// Returns jobs, newest first.
    func jobs(limit: Int) async throws(KnowledgeError) -> [IngestJob]

    /// Returns files of a job in order.
    func items(ofJob id: String, after: Int64, limit: Int) async throws(KnowledgeError) -> [IngestItem]

    /// Cancels the files of a job that wait. What is being ingested is finished.
    ///
    /// - Returns: Whether there is such a job.
    func cancel(job id: String) async throws(KnowledgeError) -> Bool
}

/// What processes that share a queue hear of one another.
public enum IngestQueueEvent: String, CaseIterable, Sendable {
    /// Files may be there to be claimed: they were queued, or given back.
    case queued
    /// A job was finished or cancelled.
    case jobFinished = "job_finished"
}

/// The most that a queue holds.
public struct IngestQueueLimits: Sendable {
    /// The most jobs that aren't finished.
    public var openJobs = 1000
    /// The most files of one job.
    public var itemsPerJob = 10_000
    /// The most bytes that wait in all.
    public var waitingBytes = 1 << 30
    /// How many finished jobs are kept, to be asked about.
    public var keptJobs = 1000
    /// How often a worker may begin with a file.
    ///
    /// A file that ended the process each time isn't tried for ever.
    public var attempts = 20
    /// A file that was begun so often without an end is claimed alone, so that it costs no others their attempts.
    public static let attemptsInCompany = 2

    /// Creates the defaults.
    public init() {}

    package var tooManyJobs: KnowledgeError {
        KnowledgeError(.queueFull, "\(self.openJobs) jobs aren't finished yet. Try again later.")
    }

    package var tooManyItems: KnowledgeError {
        KnowledgeError(.queueFull, "A job may have at most \(self.itemsPerJob) files.")
    }

    package var tooManyBytes: KnowledgeError {
        KnowledgeError(.queueFull, "More than \(self.waitingBytes) bytes wait to be ingested. Try again later.")
    }

    package var tooManyAttempts: KnowledgeError {
        KnowledgeError(
            .extractionFailed,
            "The file was given up after \(self.attempts) attempts: each failed, or ended with the process."
        )
    }

    package static let jobClosed = KnowledgeError(
        .cancelled,
        "The job was cancelled while its files arrived, or they arrived too slowly."
    )
}
