import Dispatch
public import Foundation
public import Knowledge

/// Finds the files of folders that can be ingested, as their owners would list them.
///
/// Hidden files, files that `.gitignore` names (also in folders below, with exceptions) and files of formats that can't be
/// read are left out. Symbolic links are never followed, so a crawl stays in its folder and ends. A path that names a file
/// means that file, whatever it is.
public struct FolderCrawler: Sendable {
    /// What to find.
    public struct Options: Sendable {
        /// If there are any, a file has to match one of them.
        public var include: [Glob] = []
        /// Files and folders that match one of them are left out.
        public var exclude: [Glob] = []
        /// Whether `.gitignore` and `.git/info/exclude` are honoured.
        public var honoursIgnoreFiles = true
        /// The most files of one crawl.
        public var maximumFiles = 100_000
        /// How many folders may be in one another.
        public var maximumDepth = 64
        /// The largest file that is read.
        public var maximumBytes = 64 << 20

        /// Creates the defaults.
        public init() {}
    }

    /// A file as a crawl found it.
    public struct File: Sendable, Hashable {
        /// The name under which it is known in the index: the name of the root, and the path below it.
        public var path: String
        /// Where it is.
        public var location: String
        public var size: Int
        public var modifiedAt: Date
    }

    /// What a crawl found.
    public struct Crawl: Sendable {
        /// In the order of their paths.
        public var files: [File] = []
        /// All folders that were looked into, for watching them.
        public var folders: [String] = []
    }

    private let options: Options
    private let canRead: @Sendable (String) -> Bool

    /// Creates a crawler.
    ///
    /// - Parameters:
    ///   - options: What to find.
    ///   - canRead: Whether a file of this name can be ingested.
    public init(options: Options = Options(), canRead: @escaping @Sendable (String) -> Bool) {
        self.options = options
        self.canRead = canRead
    }

    /// Lists the files of a root, on a thread that may wait for the disk.
    ///
    /// - Parameters:
    ///   - root: A folder or a file.
    ///   - name: What its files are called in the index, instead of the path as it is given.
    /// - Returns: The files and the folders.
    /// - Throws: A ``KnowledgeError`` that names a path that isn't there, or says that there are too many files.
    public func crawl(_ root: String, as name: String? = nil) async throws(KnowledgeError) -> Crawl {
        let result = await withCheckedContinuation { continuation in
            DispatchQueue.global().async {
                continuation.resume(
                    returning: Result { () throws(KnowledgeError) in try self.crawlNow(root, as: name ?? root) }
                )
            }
        }
        return try result.get()
    }

    /// Turns what was found into files that are read when their turn comes.
    ///
    /// - Parameters:
    ///   - files: What was found.
    ///   - areDated: Whether the dates of the files say when somebody changed them; those of a work tree that was just
    ///     made don't.
    /// - Returns: The files in the same order.
    public func sources(_ files: [File], areDated: Bool = true) -> [SourceFile] {
        let maximum = self.options.maximumBytes
        return files.map { file in
            SourceFile(path: file.path, updatedAt: areDated ? file.modifiedAt : nil) {
                try await Self.read(file.location, maximum: maximum)
            }
        }
    }

    private struct Folder {
        var location: String
        /// The path below the root, empty for the root itself.
        var path: String
        var depth: Int
        /// The rules of this folder and those above it, outermost first, each with the path that it is about.
        var rules: [(base: String, rules: IgnoreRules)]
    }

    private func crawlNow(_ root: String, as name: String) throws(KnowledgeError) -> Crawl {
        var base = name
        while base.count > 1, base.hasSuffix("/") { base.removeLast() }
        var location = root
        while location.count > 1, location.hasSuffix("/") { location.removeLast() }
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: location, isDirectory: &isFolder) else {
            throw KnowledgeError(.unreadable, "There is no file or directory \(root).")
        }
        var crawl = Crawl()
        guard isFolder.boolValue else {
            crawl.files = [Self.file(path: base, location: location)].compactMap { $0 }
            return crawl
        }
        var waiting = [Folder(location: location, path: "", depth: 0, rules: self.outerRules(of: location))]
        while let folder = waiting.popLast() {
            try self.visit(folder, base: base, crawl: &crawl, waiting: &waiting)
        }
        crawl.files.sort { $0.path < $1.path }
        return crawl
    }

    private func visit(
        _ folder: Folder,
        base: String,
        crawl: inout Crawl,
        waiting: inout [Folder]
    ) throws(KnowledgeError) {
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: folder.location) else {
            if folder.path.isEmpty {
                throw KnowledgeError(.unreadable, "The directory \(folder.location) can't be listed.")
            }
            return
        }
        crawl.folders.append(folder.location)
        var rules = folder.rules
        if self.options.honoursIgnoreFiles, names.contains(".gitignore") {
            rules += Self.rules("\(folder.location)/.gitignore", base: folder.path)
        }
        for name in names where !name.hasPrefix(".") {
            let path = folder.path.isEmpty ? name : "\(folder.path)/\(name)"
            let location = "\(folder.location)/\(name)"
            guard let kind = Self.kind(of: location), !self.options.exclude.contains(where: { $0.matches(path) }),
                !Self.isIgnored(path, isDirectory: kind == .typeDirectory, rules)
            else { continue }
            if kind == .typeDirectory {
                guard folder.depth < self.options.maximumDepth else {
                    throw KnowledgeError(
                        .tooDeep,
                        "\(path) has more than \(self.options.maximumDepth) folders above it; exclude it, or name it alone."
                    )
                }
                waiting.append(Folder(location: location, path: path, depth: folder.depth + 1, rules: rules))
            } else if kind == .typeRegular, self.isWanted(path) {
                guard crawl.files.count < self.options.maximumFiles else {
                    throw KnowledgeError(
                        .invalidArguments,
                        "There are more than \(self.options.maximumFiles) files; name fewer, or exclude some."
                    )
                }
                if let file = Self.file(path: base == "." ? path : "\(base)/\(path)", location: location) {
                    crawl.files.append(file)
                }
            }
        }
    }

    private func isWanted(_ path: String) -> Bool {
        guard self.options.include.isEmpty else { return self.options.include.contains { $0.matches(path) } }
        return self.canRead(path)
    }

    /// The rules of a work tree that the root is in, down to the root.
    private func outerRules(of root: String) -> [(base: String, rules: IgnoreRules)] {
        guard self.options.honoursIgnoreFiles else { return [] }
        // Rules of folders above the root speak of paths from there; only those of the root's own repository are taken.
        return Self.rules("\(root)/.git/info/exclude", base: "")
    }

    private static func rules(_ file: String, base: String) -> [(base: String, rules: IgnoreRules)] {
        guard Self.kind(of: file) == .typeRegular, let handle = FileHandle(forReadingAtPath: file) else { return [] }
        defer { try? handle.close() }
        guard let data = try? handle.read(upToCount: 1 << 20) else { return [] }
        return [(base, IgnoreRules(String(decoding: data, as: UTF8.self)))]
    }

    /// The innermost file that has a rule about a path decides.
    private static func isIgnored(
        _ path: String,
        isDirectory: Bool,
        _ rules: [(base: String, rules: IgnoreRules)]
    ) -> Bool {
        for (base, rules) in rules.reversed() {
            let relative = base.isEmpty ? path : String(path.dropFirst(base.count + 1))
            if let isIgnored = rules.ignores(relative, isDirectory: isDirectory) { return isIgnored }
        }
        return false
    }

    /// The type of a file, of a link itself and not of what it points to.
    private static func kind(of location: String) -> FileAttributeType? {
        (try? FileManager.default.attributesOfItem(atPath: location))?[.type] as? FileAttributeType
    }

    private static func file(path: String, location: String) -> File? {
        guard let attributes = try? FileManager.default.attributesOfItem(atPath: location) else { return nil }
        return File(
            path: path,
            location: location,
            size: (attributes[.size] as? NSNumber)?.intValue ?? 0,
            modifiedAt: attributes[.modificationDate] as? Date ?? Date(timeIntervalSince1970: 0)
        )
    }

    /// Reads a file on a thread that may block.
    private static func read(_ location: String, maximum: Int) async throws -> [UInt8] {
        try await withCheckedThrowingContinuation { continuation in
            DispatchQueue.global().async {
                continuation.resume(with: Result { try Self.readNow(location, maximum: maximum) })
            }
        }
    }

    private static func readNow(_ location: String, maximum: Int) throws -> [UInt8] {
        guard let file = FileHandle(forReadingAtPath: location) else {
            throw KnowledgeError(.unreadable, "The file \(location) can't be opened.")
        }
        defer { try? file.close() }
        let size = try file.seekToEnd()
        guard size <= UInt64(maximum) else {
            throw KnowledgeError(.tooLarge, "\(location) has \(size) bytes; at most \(maximum) are read.")
        }
        try file.seek(toOffset: 0)
        let data = try file.read(upToCount: maximum + 1) ?? Data()
        guard data.count <= maximum else {
            throw KnowledgeError(.tooLarge, "\(location) grew beyond \(maximum) bytes while it was read.")
        }
        return Array(data)
    }
}
