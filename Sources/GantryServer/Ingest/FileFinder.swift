import Foundation
public import Knowledge

/// Finds the files that are meant by paths on the command line.
///
/// A path that names a file means that file, whatever it is. A directory means the files in it and below that can be
/// read, without hidden ones and without following symbolic links, so that nothing outside is taken by accident.
public struct FileFinder: Sendable {
    /// The most files of one run.
    public static let maximumFiles = 100_000
    /// The largest file that is read.
    public static let maximumBytes = 64 << 20

    /// Whether a file is of a kind that can be ingested, by its name.
    private let canRead: @Sendable (String) -> Bool

    /// Creates a finder.
    ///
    /// - Parameter canRead: Whether a file can be ingested, by its path.
    public init(canRead: @escaping @Sendable (String) -> Bool) {
        self.canRead = canRead
    }

    /// The files of some paths, without repetitions: those of a directory in the order of their names.
    ///
    /// - Throws: A ``KnowledgeError`` that names a path that isn't there, or says that there are too many files.
    public func files(at paths: [String]) throws(KnowledgeError) -> [SourceFile] {
        var found: [String] = []
        var known: Set<String> = []
        for path in paths {
            for file in try self.expand(path) where known.insert(file).inserted {
                found.append(file)
            }
            guard found.count <= Self.maximumFiles else {
                throw KnowledgeError(.invalidArguments, "There are more than \(Self.maximumFiles) files; name fewer.")
            }
        }
        return found.map { path in SourceFile(path: path) { try await Self.read(path) } }
    }

    private func expand(_ path: String) throws(KnowledgeError) -> [String] {
        var isDirectory: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) else {
            throw KnowledgeError(.unreadable, "There is no file or directory \(path).")
        }
        guard isDirectory.boolValue else { return [path] }
        guard let entries = FileManager.default.enumerator(atPath: path) else {
            throw KnowledgeError(.unreadable, "The directory \(path) can't be listed.")
        }
        let base = path.hasSuffix("/") ? String(path.dropLast()) : path
        var files: [String] = []
        while let entry = entries.nextObject() as? String {
            if entry.split(separator: "/").last?.hasPrefix(".") == true {
                entries.skipDescendants()
            } else if entries.fileAttributes?[.type] as? FileAttributeType == .typeRegular, self.canRead(entry) {
                files.append("\(base)/\(entry)")
            }
        }
        return files.sorted()
    }

    /// Reads a file on a thread that may block.
    private static func read(_ path: String) async throws -> [UInt8] {
        try await withCheckedThrowingContinuation { continuation in
            DispatchQueue.global().async {
                continuation.resume(with: Result { try Self.readNow(path) })
            }
        }
    }

    private static func readNow(_ path: String) throws -> [UInt8] {
        guard let file = FileHandle(forReadingAtPath: path) else {
            throw KnowledgeError(.unreadable, "The file can't be opened.")
        }
        defer { try? file.close() }
        let data = try file.read(upToCount: Self.maximumBytes + 1) ?? Data()
        guard data.count <= Self.maximumBytes else {
            throw KnowledgeError(.tooLarge, "The file has more than \(Self.maximumBytes) bytes.")
        }
        return Array(data)
    }
}
