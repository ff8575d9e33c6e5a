import Crypto
import Foundation

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Files that only their owner may read: keys, and what is known of API keys.
public enum PrivateFile {
    /// A secret of 32 random bytes that is kept in a file, and made if there is none.
    ///
    /// - Throws: ``KeyError`` if it can't be read or written, or others may read it.
    public static func secret(at path: String) throws(KeyError) -> [UInt8] {
        if let bytes = try self.read(path, limit: 1024) {
            guard bytes.count >= 32 else { throw KeyError("\(path) has fewer than 32 bytes.") }
            return bytes
        }
        let bytes = SymmetricKey(size: .bits256).withUnsafeBytes(Array.init)
        try self.save(bytes, to: path)
        return bytes
    }

    /// The content of a file, or nothing if there is none.
    ///
    /// - Throws: ``KeyError`` if it is too large, can't be read, or others may read it.
    static func read(_ path: String, limit: Int) throws(KeyError) -> [UInt8]? {
        var status = stat()
        guard stat(path, &status) == 0 else {
            if errno == ENOENT { return nil }
            throw KeyError("\(path) can't be read: \(String(cString: strerror(errno))).")
        }
        guard status.st_mode & 0o077 == 0 else {
            throw KeyError("\(path) can be read by others than its owner. Make it private: chmod 600 \(path)")
        }
        guard status.st_size <= limit else { throw KeyError("\(path) is larger than \(limit) bytes.") }
        guard let data = FileManager.default.contents(atPath: path) else { throw KeyError("\(path) can't be read.") }
        return Array(data)
    }

    /// Writes a file whole: whoever reads it finds the old content or the new, and nobody but its owner may.
    static func save(_ bytes: [UInt8], to path: String) throws(KeyError) {
        let directory = (path as NSString).deletingLastPathComponent
        do {
            try FileManager.default.createDirectory(
                atPath: directory,
                withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700]
            )
        } catch {
            throw KeyError("\(directory) can't be made: \(error.localizedDescription)")
        }
        let temporary = "\(path).\(UUID().uuidString)"
        let file = open(temporary, O_WRONLY | O_CREAT | O_EXCL, 0o600)
        guard file >= 0 else { throw KeyError("\(path) can't be written: \(String(cString: strerror(errno))).") }
        var written = 0
        while written < bytes.count {
            let count = bytes.withUnsafeBytes { write(file, $0.baseAddress?.advanced(by: written), $0.count - written) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { break }
            written += count
        }
        let isSafe = written == bytes.count && fsync(file) == 0
        close(file)
        guard isSafe, rename(temporary, path) == 0 else {
            let reason = String(cString: strerror(errno))
            unlink(temporary)
            throw KeyError("\(path) can't be written: \(reason).")
        }
    }

    /// Runs a change of a file while no other process changes it.
    static func locking<T>(_ path: String, _ change: () throws(KeyError) -> T) throws(KeyError) -> T {
        let lock = open("\(path).lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard lock >= 0 else { throw KeyError("\(path) can't be locked: \(String(cString: strerror(errno))).") }
        defer { close(lock) }
        guard flock(lock, LOCK_EX) == 0 else { throw KeyError("\(path) can't be locked.") }
        return try change()
    }

    /// What changes whenever a file does: nothing if there is no file.
    static func version(of path: String) -> [Int]? {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        return [
            Int(status.st_mtim.tv_sec), Int(status.st_mtim.tv_nsec), Int(status.st_size),
            Int(truncatingIfNeeded: status.st_ino),
        ]
    }
}
