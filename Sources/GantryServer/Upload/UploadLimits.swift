/// How much one upload may hold.
struct UploadLimits: Sendable {
    /// The largest file.
    ///
    /// A larger one fails, and those after it are still taken.
    var fileBytes = 16 << 20
    /// The largest body.
    ///
    /// Reading stops there.
    var bodyBytes = 256 << 20
    /// The most parts of a body.
    var parts = 500
    /// How many bytes of a file are in memory while it arrives; the rest is in the queue already.
    var pieceBytes = 1 << 20
    /// How many uploads may run at a time: each holds one piece in memory.
    var concurrentUploads = 16
    /// How long an upload counts as under way although its process doesn't say that it is alive, which the workers do.
    var receiverTime = Duration.seconds(60)
    /// How long an upload waits for its files to be ingested before it is answered with the job.
    var waitTime = Duration.seconds(60)
}
