import Foundation
import Synchronization

/// The input that a worker runs, kept in a mapped file, so that it is there after a crash.
///
/// The file begins with `GFUZ` and the length, 4 bytes each, the length in the byte order of the machine.
final class RunningInput: Sendable {
    private static let magic = Array("GFUZ".utf8)
    private static let headerBytes = 8
    private static let capacity = 1 << 20

    let path: String
    /// How many inputs have been run.
    let executions = Atomic(0)
    /// When the current input was begun, in nanoseconds; 0 between inputs.
    let startedAt = Atomic<UInt64>(0)
    private nonisolated(unsafe) let memory: UnsafeMutableRawBufferPointer  // Safe: one worker writes, and nobody reads.

    init(path: String) throws {
        self.path = path
        let descriptor = open(path, O_RDWR | O_CREAT | O_TRUNC, 0o644)
        guard descriptor >= 0, ftruncate(descriptor, off_t(Self.capacity)) == 0,
            let base = mmap(nil, Self.capacity, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0), base != MAP_FAILED
        else {
            throw FuzzFailure(description: "\(path) can't be mapped: \(String(cString: strerror(errno))).")
        }
        close(descriptor)
        self.memory = UnsafeMutableRawBufferPointer(start: base, count: Self.capacity)
        self.memory.copyBytes(from: Self.magic)
    }

    /// Notes an input that is about to be run.
    func begin(_ input: [UInt8]) {
        precondition(input.count <= Self.capacity - Self.headerBytes, "A seed may have 1 MiB.")
        self.memory.storeBytes(of: UInt32(input.count), toByteOffset: 4, as: UInt32.self)
        UnsafeMutableRawBufferPointer(rebasing: self.memory[Self.headerBytes...]).copyBytes(from: input)
        self.startedAt.store(DispatchTime.now().uptimeNanoseconds, ordering: .releasing)
    }

    /// Notes that the input is done.
    func end() {
        self.startedAt.store(0, ordering: .releasing)
        self.executions.add(1, ordering: .relaxed)
    }

    /// Removes the file, because all went well.
    func remove() {
        munmap(self.memory.baseAddress, Self.capacity)
        unlink(self.path)
    }

    /// Reads an input back: a file that a crash left, or any other file as it is.
    static func read(_ path: String) throws -> [UInt8] {
        let bytes = [UInt8](try Data(contentsOf: URL(filePath: path)))
        guard bytes.starts(with: Self.magic), bytes.count >= Self.headerBytes else { return bytes }
        let length = bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: 4, as: UInt32.self) }
        return Array(bytes.dropFirst(Self.headerBytes).prefix(Int(length)))
    }
}
