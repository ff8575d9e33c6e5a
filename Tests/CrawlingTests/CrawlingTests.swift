import Foundation
import Knowledge
import Testing

@testable import Crawling

@Suite("Finding files")
struct CrawlingTests {
    private final class Folder {
        let path: String

        init() throws {
            self.path = FileManager.default.temporaryDirectory.appending(path: "crawl-\(UUID().uuidString)").path
            try FileManager.default.createDirectory(atPath: self.path, withIntermediateDirectories: true)
        }

        deinit { try? FileManager.default.removeItem(atPath: self.path) }

        func write(_ name: String, _ text: String = "text") throws {
            let location = URL(fileURLWithPath: self.path).appending(path: name)
            try FileManager.default.createDirectory(
                at: location.deletingLastPathComponent(),
                withIntermediateDirectories: true
            )
            try Data(text.utf8).write(to: location)
        }

        func run(_ arguments: String...) throws {
            let process = Process()
            process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
            process.arguments =
                ["git", "-C", self.path, "-c", "user.name=T", "-c", "user.email=t@example.org"] + arguments
            process.standardOutput = FileHandle.nullDevice
            try process.run()
            process.waitUntilExit()
            try #require(process.terminationStatus == 0)
        }
    }

    private func names(
        _ folder: Folder,
        _ change: (inout FolderCrawler.Options) -> Void = { _ in }
    ) async throws -> [String] {
        var options = FolderCrawler.Options()
        change(&options)
        return try await FolderCrawler(options: options) { !$0.hasSuffix(".png") }.crawl(folder.path, as: "r").files
            .map { String($0.path.dropFirst(2)) }
    }

    @Test("Hidden files, other formats and what .gitignore names are left out, and links aren't followed")
    func crawl() async throws {
        let folder = try Folder()
        for name in ["a.md", "b.png", ".hidden/c.md", "build/d.md", "x/e.md", "x/keep/f.md", "x/keep/g.tmp", "y/h.tmp"]
        {
            try folder.write(name)
        }
        try folder.write(".gitignore", "build/\n*.tmp\n")
        try folder.write("x/.gitignore", "/e.md\n!*.tmp\n")
        try FileManager.default.createSymbolicLink(atPath: "\(folder.path)/loop", withDestinationPath: folder.path)
        try FileManager.default.createSymbolicLink(atPath: "\(folder.path)/out.md", withDestinationPath: "/etc/passwd")
        #expect(try await self.names(folder) == ["a.md", "x/keep/f.md", "x/keep/g.tmp"])
        #expect(try await self.names(folder) { $0.honoursIgnoreFiles = false }.contains("build/d.md"))
        #expect(try await self.names(folder) { $0.include = [Glob("x/**")] } == ["x/keep/f.md", "x/keep/g.tmp"])
        #expect(try await self.names(folder) { $0.include = [Glob("*.png")] } == ["b.png"])
        #expect(try await self.names(folder) { $0.exclude = [Glob("keep")] } == ["a.md"])
        await #expect(throws: KnowledgeError.self) { try await self.names(folder) { $0.maximumFiles = 2 } }
        await #expect(throws: KnowledgeError.self) { try await self.names(folder) { $0.maximumDepth = 1 } }
    }

    @Test("A large file is refused before it is read")
    func large() async throws {
        let folder = try Folder()
        try folder.write("a.md", "12345")
        var options = FolderCrawler.Options()
        options.maximumBytes = 4
        let crawler = FolderCrawler(options: options) { _ in true }
        let source = try #require(crawler.sources(try await crawler.crawl(folder.path).files).first)
        let error = await #expect(throws: KnowledgeError.self) { try await source.read() }
        #expect(error?.code == .tooLarge)
        let missing = await #expect(throws: KnowledgeError.self) { try await crawler.crawl("\(folder.path)/none") }
        #expect(missing?.code == .unreadable)
    }

    @Test("A change in a watched folder is told")
    func watch() async throws {
        let folder = try Folder()
        let watcher = try FolderWatcher()
        try watcher.watch([folder.path, "\(folder.path)/none"])
        try folder.write("a.md")
        var changes = watcher.changes.makeAsyncIterator()
        #expect(await changes.next() != nil)
        try FileManager.default.removeItem(atPath: "\(folder.path)/a.md")
        #expect(await changes.next() != nil)
    }

    @Test("The newest state of a repository is fetched, without hooks and links")
    func repository() async throws {
        let folder = try Folder()
        try folder.write("docs/a.md", "old")
        try FileManager.default.createSymbolicLink(atPath: "\(folder.path)/link.md", withDestinationPath: "/etc/passwd")
        try folder.run("init", "--quiet")
        try folder.run("add", ".")
        try folder.run("commit", "--quiet", "-m", "one")
        try folder.write("docs/a.md", "new")
        try folder.run("commit", "--quiet", "-a", "-m", "two")
        let repository = try GitRepository("file://\(folder.path)/.git", schemes: ["file"])
        let found = try await repository.withWorkTree { tree throws(KnowledgeError) in
            let text = try? String(contentsOfFile: "\(tree)/docs/a.md", encoding: .utf8)
            let link = try? String(contentsOfFile: "\(tree)/link.md", encoding: .utf8)
            return [tree, text ?? "", link ?? ""]
        }
        #expect(found[1...] == ["new", "/etc/passwd"])
        #expect(!FileManager.default.fileExists(atPath: found[0]))
        var limits = GitRepository.Limits()
        limits.files = 1
        let small = try GitRepository("file://\(folder.path)/.git", schemes: ["file"], limits: limits)
        let error = await #expect(throws: KnowledgeError.self) {
            try await small.withWorkTree { _ throws(KnowledgeError) in }
        }
        #expect(error?.code == .tooLarge)
    }

    @Test("Addresses: only allowed schemes, and no password in any name or error")
    func addresses() async throws {
        let repository = try GitRepository("https://user:s3cret@127.0.0.1:9/team/project.git", schemes: ["https"])
        #expect(repository.address == "https://127.0.0.1:9/team/project.git")
        #expect(repository.name == "127.0.0.1/team/project")
        let error = await #expect(throws: KnowledgeError.self) {
            try await repository.withWorkTree { _ throws(KnowledgeError) in }
        }
        #expect(error?.code == .unreadable)
        #expect(error?.message.contains("s3cret") == false)
        for text in ["file:///etc", "ext::sh -c x://", "http://example.org/x", "https:///x", "https://example.org"] {
            #expect(throws: KnowledgeError.self) { try GitRepository(text, schemes: ["https"]) }
        }
        #expect(GitRepository.isAddress("https://example.org/x"))
        #expect(!GitRepository.isAddress("docs/x"))
    }
}
