import Foundation

/// A file of the model in memory: mapped rather than read, so that its pages come in as they are used, can be dropped
/// when memory is short, and are shared by all processes that map the same file.
///
/// The file must not be cut short while it is mapped; `Scripts/fetch-model` puts a new one in its place instead.
// @unchecked: the mapping is read-only and lives as long as the object.
final class MappedFile: @unchecked Sendable {
    let path: String

    /// The contents. Valid as long as this object.
    let bytes: UnsafeRawBufferPointer

    init(path: String) throws(EmbeddingError) {
        self.path = path
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            guard errno == ENOENT || errno == ENOTDIR else { throw Self.unreadable(path) }
            throw EmbeddingError(.modelMissing, "The embedding model is not at \(path); `make setup` fetches it.")
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw Self.unreadable(path) }
        // An empty file can't be mapped.
        guard status.st_size > 0 else { throw Self.corrupt(path, "it is empty") }
        guard let base = mmap(nil, Int(status.st_size), PROT_READ, MAP_PRIVATE, descriptor, 0), base != MAP_FAILED
        else {
            throw Self.unreadable(path)
        }
        self.bytes = UnsafeRawBufferPointer(start: base, count: Int(status.st_size))
    }

    deinit {
        munmap(UnsafeMutableRawPointer(mutating: self.bytes.baseAddress), self.bytes.count)
    }

    /// The error that says why the file is not a part of the model.
    func corrupt(_ reason: String) -> EmbeddingError { Self.corrupt(self.path, reason) }

    private static func corrupt(_ path: String, _ reason: String) -> EmbeddingError {
        EmbeddingError(
            .modelCorrupt,
            "\(path) is not part of the embedding model: \(reason). Remove it and run `make setup`."
        )
    }

    private static func unreadable(_ path: String) -> EmbeddingError {
        EmbeddingError(
            .modelUnreadable,
            "\(path) can't be read (\(String(cString: strerror(errno)))); check its permissions."
        )
    }
}
