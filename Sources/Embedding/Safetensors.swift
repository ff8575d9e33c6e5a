import Foundation
import JSON

/// A file of tensors, mapped into memory: eight bytes with the length of a JSON header, the header, and the numbers.
///
/// Format: github.com/huggingface/safetensors, "Format".
final class Safetensors: Sendable {
    /// The numbers of one tensor; they keep the file mapped.
    struct Floats: Sendable {
        private let file: Safetensors
        nonisolated(unsafe) let pointer: UnsafePointer<Float>  // Safe: read-only, and mapped as long as `file` lives.

        fileprivate init(_ file: Safetensors, _ pointer: UnsafePointer<Float>) {
            self.file = file
            self.pointer = pointer
        }
    }

    nonisolated(unsafe) private let base: UnsafeRawPointer  // Safe: the mapping is read-only and ends with the object.
    private let size: Int
    private let header: JSONObject
    private let dataStart: Int

    /// The longest header that is read; the format allows 100 MB.
    private static let maximumHeaderBytes = 1 << 20

    init(path: String) throws(EmbeddingError) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw EmbeddingError(.modelMissing, "The embedding model is not at \(path); `make setup` fetches it.")
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_size > 8,
            let base = mmap(nil, Int(status.st_size), PROT_READ, MAP_PRIVATE, descriptor, 0), base != MAP_FAILED
        else { throw Self.corrupt(path, "it can't be mapped") }
        let size = Int(status.st_size)
        let length = UInt64(littleEndian: base.loadUnaligned(as: UInt64.self))
        guard length <= UInt64(min(Self.maximumHeaderBytes, size - 8)) else {
            munmap(base, size)
            throw Self.corrupt(path, "its header is too long")
        }
        let bytes = UnsafeRawBufferPointer(start: base + 8, count: Int(length))
        guard let header = (try? JSONValue(parsing: bytes))?.objectValue else {
            munmap(base, size)
            throw Self.corrupt(path, "its header is not JSON")
        }
        self.base = UnsafeRawPointer(base)
        self.size = size
        self.header = header
        self.dataStart = 8 + Int(length)
    }

    deinit {
        munmap(UnsafeMutableRawPointer(mutating: self.base), self.size)
    }

    /// The numbers of a tensor of 32-bit floats.
    ///
    /// - Throws: ``EmbeddingError`` if there is no such tensor of this shape within the file.
    func floats(_ name: String, shape: [Int]) throws(EmbeddingError) -> Floats {
        let count = shape.reduce(1, *)
        guard let entry = self.header[name], entry["dtype"] == "F32",
            entry["shape"] == .array(shape.map(JSONValue.integer)),
            let start = entry["data_offsets"]?[0]?.intValue, let end = entry["data_offsets"]?[1]?.intValue,
            start >= 0, end >= start, end <= self.size - self.dataStart,
            end - start == count * MemoryLayout<Float>.stride,
            (self.dataStart + start).isMultiple(of: MemoryLayout<Float>.alignment)
        else { throw EmbeddingError(.modelCorrupt, "The embedding model has no tensor \(name) of shape \(shape).") }
        return Floats(self, (self.base + self.dataStart + start).assumingMemoryBound(to: Float.self))
    }

    /// Lets the system take back the memory of pages that were read; they are read again when they are used again.
    func releasePages() {
        madvise(UnsafeMutableRawPointer(mutating: self.base), self.size, MADV_DONTNEED)
    }

    private static func corrupt(_ path: String, _ reason: String) -> EmbeddingError {
        EmbeddingError(.modelCorrupt, "\(path) is not the embedding model: \(reason). Remove it and run `make setup`.")
    }
}
