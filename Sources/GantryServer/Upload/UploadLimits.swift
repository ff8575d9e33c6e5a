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
    /// How many uploads may run at a time: each holds one file in memory.
    var concurrentUploads = 4
}
