public import Foundation

/// A file to ingest, whose content is read when its turn comes, so that only one file at a time is in memory.
public struct SourceFile: Sendable {
    /// The path under which the file is known in the index.
    public var path: String

    /// When the file was last changed, if that is known: the documents in it are as old, unless they say otherwise.
    public var updatedAt: Date?

    /// Reads the content; what it throws becomes that file's error.
    public var read: @Sendable () async throws -> [UInt8]

    /// Creates a file that is read later.
    public init(path: String, updatedAt: Date? = nil, read: @escaping @Sendable () async throws -> [UInt8]) {
        self.path = path
        self.updatedAt = updatedAt
        self.read = read
    }

    /// Creates a file from bytes at hand, such as an upload.
    public init(path: String, bytes: [UInt8]) {
        self.path = path
        self.read = { bytes }
    }
}
