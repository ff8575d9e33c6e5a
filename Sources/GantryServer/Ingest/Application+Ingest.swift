import Crawling
import Extraction
import Foundation
public import Knowledge

extension Application {
    /// Which files of a folder or repository are ingested, and what happens to documents whose files are gone.
    public struct IngestOptions: Sendable {
        /// Patterns as in `.gitignore`: if there are any, a file has to match one of them.
        public var include: [String] = []
        /// Files and folders that match one of them are left out.
        public var exclude: [String] = []
        /// Whether `.gitignore` is honoured.
        public var honoursIgnoreFiles = true
        /// Whether documents are removed whose files were in one of the folders or repositories and aren't any more.
        public var removesMissing = false

        /// Creates the defaults.
        public init() {}

        var crawler: FolderCrawler {
            var options = FolderCrawler.Options()
            options.include = self.include.map { Glob($0) }
            options.exclude = self.exclude.map { Glob($0) }
            options.honoursIgnoreFiles = self.honoursIgnoreFiles
            return FolderCrawler(options: options) { FileExtractor.canRead(path: $0) }
        }
    }

    /// Ingests what some paths mean: files, folders, and git repositories by their address.
    ///
    /// - Parameters:
    ///   - paths: Files, folders and addresses.
    ///   - options: Which of their files.
    ///   - progress: Called after each document.
    /// - Returns: What became of each document.
    /// - Throws: A ``KnowledgeError`` if a path isn't there or nothing can be ingested at all.
    public func ingest(
        paths: [String],
        options: IngestOptions = IngestOptions(),
        progress: @escaping (IngestProgress) -> Void
    ) async throws(KnowledgeError) -> IngestReport {
        let crawler = options.crawler
        var files: [FolderCrawler.File] = []
        var roots: [String] = []
        var known: Set<String> = []
        // An address that isn't allowed should not be found out after hours.
        let repositories = try paths.filter(GitRepository.isAddress).map { text throws(KnowledgeError) in
            try GitRepository(text, schemes: self.settings.gitSchemes)
        }
        for path in paths where !GitRepository.isAddress(path) {
            roots.append(path)
            for file in try await crawler.crawl(path).files where known.insert(file.path).inserted {
                files.append(file)
            }
        }
        var report = try await self.knowledge.ingest(files: crawler.sources(files), progress: progress)
        if options.removesMissing { report.add(try await self.removeMissing(known, under: roots)) }
        for repository in repositories {
            let added = try await repository.withWorkTree { tree throws(KnowledgeError) in
                let files = try await crawler.crawl(tree, as: repository.name).files
                let sources = crawler.sources(files, areDated: false)
                var report = try await self.knowledge.ingest(files: sources, progress: progress)
                if options.removesMissing {
                    let present = Set(files.map(\.path))
                    report.add(try await self.removeMissing(present, under: [repository.name]))
                }
                return report
            }
            report.add(added)
        }
        return report
    }

    /// Ingests files and folders, and again what changes in them, until the task is cancelled.
    ///
    /// Documents whose files are removed or renamed are removed. Changes within a third of a second are taken together.
    ///
    /// - Parameters:
    ///   - paths: Files and folders; repositories can't be watched.
    ///   - options: Which of their files.
    ///   - progress: Called after each document.
    ///   - report: Told what became of the documents, first of all and then after each change.
    /// - Throws: A ``KnowledgeError`` if a path isn't there, can't be watched, or nothing can be ingested at all.
    public func watch(
        paths: [String],
        options: IngestOptions = IngestOptions(),
        progress: @escaping (IngestProgress) -> Void,
        report: (IngestReport) -> Void
    ) async throws(KnowledgeError) {
        if let address = paths.first(where: GitRepository.isAddress) {
            throw KnowledgeError(.invalidArguments, "Only files and folders can be watched, and \(address) is neither.")
        }
        let crawler = options.crawler
        let watcher = try FolderWatcher()
        var known: [String: FolderCrawler.File] = [:]
        var watched: Set<String> = []
        var isFirst = true
        var changes = watcher.changes.makeAsyncIterator()
        repeat {
            var found: [String: FolderCrawler.File] = [:]
            var folders: Set<String> = []
            // Once more after a folder is watched for the first time: something may have come into it before.
            repeat {
                found = [:]
                folders = []
                for path in paths where isFirst || FileManager.default.fileExists(atPath: path) {
                    let crawl = try await crawler.crawl(path)
                    for file in crawl.files { found[file.path] = file }
                    folders.formUnion(crawl.folders.isEmpty ? [Self.parent(of: path)] : crawl.folders)
                }
                let isNew = !folders.isSubset(of: watched)
                try watcher.watch(Array(folders))
                watched = folders
                if !isNew { break }
            } while true
            let changed = found.values.filter { known[$0.path] != $0 }.sorted { $0.path < $1.path }
            let gone = Set(known.keys).subtracting(found.keys)
            var done = try await self.knowledge.ingest(files: crawler.sources(changed), progress: progress)
            if !gone.isEmpty { done.add(try await self.knowledge.removeDocuments { gone.contains($0) }) }
            if isFirst, options.removesMissing { done.add(try await self.removeMissing(Set(found.keys), under: paths)) }
            if isFirst || !done.results.isEmpty { report(done) }
            known = found
            isFirst = false
            guard await changes.next() != nil else { return }
            // A change seldom comes alone.
            try? await Task.sleep(for: .milliseconds(300))
        } while !Task.isCancelled
    }

    private static func parent(of path: String) -> String {
        let parent = (path as NSString).deletingLastPathComponent
        return parent.isEmpty ? "." : parent
    }

    private func removeMissing(
        _ present: Set<String>,
        under roots: [String]
    ) async throws(KnowledgeError) -> IngestReport {
        let prefixes = roots.map { $0.hasSuffix("/") ? $0 : "\($0)/" }
        return try await self.knowledge.removeDocuments { path in
            !present.contains(path) && prefixes.contains { path.hasPrefix($0) }
        }
    }

    /// Asks a team's own questions to the knowledge base as it is.
    ///
    /// - Throws: A ``KnowledgeError`` if a query fails.
    public func evaluate(questions set: EvaluationSet) async throws(KnowledgeError) -> Evaluation.Report {
        try await Evaluation(base: self.knowledge).ask(set)
    }

    /// Measures retrieval on a labelled collection, with the embedder of this application and a store of its own.
    ///
    /// - Parameters:
    ///   - set: The collection.
    ///   - progress: Called after each document is ingested.
    /// - Returns: The figures.
    /// - Throws: A ``KnowledgeError`` if a document or a query fails.
    public func evaluate(
        _ set: EvaluationSet,
        progress: @escaping (IngestProgress) -> Void
    ) async throws(KnowledgeError) -> Evaluation.Report {
        try await self.withEmptyStore { store throws(KnowledgeError) in
            let base = KnowledgeBase(store: store, embedder: self.embedder, now: { Date() })
            return try await Evaluation(base: base).run(set, progress: progress)
        }
    }

    /// Measures how exactly chunks cover the passages that answer questions, with a store of its own.
    ///
    /// - Parameters:
    ///   - set: Documents, questions and spans.
    ///   - cut: By structure, or into windows for comparison.
    ///   - chunking: The sizes of chunks.
    /// - Returns: The figures.
    /// - Throws: A ``KnowledgeError`` if a document or a query fails.
    public func evaluate(
        _ set: ChunkEvaluationSet,
        cut: ChunkEvaluation.Cut,
        chunking: ChunkingConfiguration
    ) async throws(KnowledgeError) -> ChunkEvaluation.Report {
        try await self.withEmptyStore { store throws(KnowledgeError) in
            var configuration = KnowledgeConfiguration()
            configuration.chunking = chunking
            let base = KnowledgeBase(
                store: store,
                embedder: self.embedder,
                configuration: configuration,
                now: { Date() }
            )
            return try await ChunkEvaluation(base: base).run(set, cut: cut)
        }
    }
}
