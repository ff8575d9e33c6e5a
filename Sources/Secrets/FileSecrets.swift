import Foundation

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Secrets in files below a directory, as Kubernetes, Docker and most agents of vaults mount them.
///
/// `secret://NAME` is the file NAME. `secret://NAME#field` is the file `field` in the folder NAME, or a field of the JSON
/// object in the file NAME.
///
/// A file is read whenever its secret is asked for, so what was changed counts at once: there is nothing to watch, and
/// nothing that could be missed when Kubernetes swaps the link `..data` to the folder of the new revision.
public struct FileSecrets: SecretProvider {
    /// How often a secret is looked for again that was swapped for a new revision while it was being opened.
    private static let attempts = 3

    private let directory: String

    /// - Parameter directory: The directory; it need not be there yet.
    public init(directory: String) {
        self.directory = directory
    }

    public func value(of reference: SecretReference, refused: String?) async throws(SecretError) -> String {
        let parts = reference.name.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard parts.allSatisfy(Self.isFileName) else {
            throw SecretError(
                .invalidReference,
                "\(reference): the name is a path below SECRETS_DIR, whose parts don't begin with a dot."
            )
        }
        for _ in 1..<Self.attempts {
            do throws(SecretError) {
                return try self.value(at: reference)
            } catch {
                guard error.code == .notFound else { throw error }
            }
        }
        return try self.value(at: reference)
    }

    /// Whether a text names something in a folder, and no revision of Kubernetes (`..data`) or hidden file.
    private static func isFileName(_ text: String) -> Bool { text.isEmpty == false && text.hasPrefix(".") == false }

    private func value(at reference: SecretReference) throws(SecretError) -> String {
        guard let root = Self.resolved(self.directory) else {
            throw SecretError(.misconfigured, "SECRETS_DIR: “\(self.directory)” is not there, or can't be read.")
        }
        var path = "\(root)/\(reference.name)"
        var whole = reference
        if let name = reference.field, Self.isFolder(path) {
            guard Self.isFileName(name), name.contains("/") == false else {
                throw SecretError(.invalidReference, "\(reference): the field is the name of a file.")
            }
            path += "/\(name)"
            whole = reference.withoutField
        }
        guard let file = Self.resolved(path) else {
            throw SecretError(.notFound, "\(reference): there is no file for it in \(self.directory).")
        }
        guard file.hasPrefix(root == "/" ? "/" : "\(root)/") else {
            throw SecretError(.unsafe, "\(reference): the file is a link to a place outside of \(self.directory).")
        }
        try self.checkFolders(of: file, root, reference)
        return try whole.value(in: try self.text(of: file, reference))
    }

    /// Refuses a file in a folder in which anybody could put another in its place.
    ///
    /// A folder with the sticky bit is all right, as those are that Kubernetes mounts: only their owner can replace files.
    private func checkFolders(of file: String, _ root: String, _ reference: SecretReference) throws(SecretError) {
        var folder = file
        repeat {
            folder = (folder as NSString).deletingLastPathComponent
            var status = stat()
            guard stat(folder, &status) == 0 else {
                throw SecretError(.notFound, "\(reference): \(folder) can't be looked at.")
            }
            if status.st_mode & S_IWOTH != 0, status.st_mode & S_ISVTX == 0 {
                throw SecretError(
                    .unsafe,
                    "\(reference): anybody can replace files in \(folder). Protect it: chmod o-w \(folder)"
                )
            }
        } while folder.utf8.count > root.utf8.count
    }

    private func text(of file: String, _ reference: SecretReference) throws(SecretError) -> String {
        // Not blocking: whatever is no file, such as a pipe, is refused below rather than waited for.
        let descriptor = open(file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        guard descriptor >= 0 else {
            let isGone = errno == ENOENT
            throw SecretError(
                isGone ? .notFound : .denied,
                "\(reference): the file can't be opened: \(String(cString: strerror(errno)))."
            )
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw SecretError(.unsafe, "\(reference): this is no file.")
        }
        guard status.st_mode & S_IWOTH == 0 else {
            throw SecretError(.unsafe, "\(reference): anybody can change the file. Protect it: chmod o-w \(file)")
        }
        let limit = SecretReference.maximumValueBytes
        // One byte more than there may be tells whether there are more.
        var bytes = [UInt8](repeating: 0, count: limit + 1)
        var count = 0
        while count < bytes.count {
            let got = bytes.withUnsafeMutableBytes {
                read(descriptor, $0.baseAddress?.advanced(by: count), $0.count - count)
            }
            if got < 0, errno == EINTR { continue }
            guard got >= 0 else { throw SecretError(.unavailable, "\(reference): the file can't be read.") }
            if got == 0 { break }
            count += got
        }
        guard count <= limit else {
            throw SecretError(.invalidValue, "\(reference): the file is larger than \(limit) bytes.")
        }
        guard let text = String(validating: bytes[..<count], as: UTF8.self) else {
            throw SecretError(.invalidValue, "\(reference): the file is no text in UTF-8.")
        }
        return text
    }

    private static func resolved(_ path: String) -> String? {
        guard let resolved = realpath(path, nil) else { return nil }
        defer { free(resolved) }
        return String(cString: resolved)
    }

    private static func isFolder(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }
}
