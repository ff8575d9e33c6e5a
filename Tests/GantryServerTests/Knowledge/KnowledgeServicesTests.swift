import Foundation
import JSON
import Knowledge
import Logging
import MCP
import MCPClient
import MCPServer
import Testing

@testable import GantryServer

/// An application on a directory of its own, which goes with it.
private final class TemporaryApplication: Sendable {
    let directory: URL
    let application: Application
    var documents: String { self.directory.appending(path: "documents").path }

    init(sources: (String) -> [SourceSettings] = { _ in [] }) throws {
        self.directory = FileManager.default.temporaryDirectory.appending(path: "gantry-\(UUID().uuidString)")
        let documents = self.directory.appending(path: "documents")
        try FileManager.default.createDirectory(at: documents, withIntermediateDirectories: true)
        var settings = Settings()
        settings.dataDirectory = self.directory.appending(path: "data").path
        settings.sources = sources(documents.path)
        self.application = try Application(settings: settings, logger: Logger(label: "test"))
    }

    deinit { try? FileManager.default.removeItem(at: self.directory) }

    func write(_ text: String, to name: String) throws {
        try Data(text.utf8).write(to: self.directory.appending(path: "documents/\(name)"))
    }

    func remove(_ name: String) throws {
        try FileManager.default.removeItem(at: self.directory.appending(path: "documents/\(name)"))
    }

    func ids() async throws -> [String] {
        try await self.application.knowledge.documents().map { String($0.id.split(separator: "/").last ?? "") }
    }
}

@Suite("What watches over the knowledge base", .timeLimit(.minutes(1)))
struct KnowledgeServicesTests {
    private static func source(_ path: String) throws -> SourceSettings {
        SourceSettings(
            name: "docs",
            path: path,
            recrawl: .seconds(3600),
            patterns: [try GlobPattern("\(path)/**")],
            maximumAge: .seconds(60)
        )
    }

    @Test("Reading a source again adds, updates and removes what has changed in it")
    func recrawl() async throws {
        let fixture = try TemporaryApplication()
        let source = try Self.source(fixture.documents)
        let crawler = fixture.application.recrawler
        try fixture.write("# A\n\nFirst.", to: "a.md")
        try fixture.write("# B\n\nSecond.", to: "b.md")
        try await fixture.application.knowledge.ingest([Document(id: "/elsewhere/c.md", text: "Not of this source.")])
        try await crawler.crawl(source)
        #expect(try await fixture.ids() == ["c.md", "a.md", "b.md"])
        try fixture.write("# A\n\nChanged.", to: "a.md")
        try fixture.remove("b.md")
        try await crawler.crawl(source)
        #expect(try await fixture.ids() == ["c.md", "a.md"])
        let document = try await fixture.application.knowledge.document(id: "\(fixture.documents)/a.md")
        #expect(document?.text.contains("Changed") == true)
        // An empty directory is more likely a disk that isn't there.
        try fixture.remove("a.md")
        try await crawler.crawl(source)
        #expect(try await fixture.ids() == ["c.md", "a.md"])
        // One that can't be read changes nothing either.
        try FileManager.default.removeItem(atPath: fixture.documents)
        try await crawler.crawl(source)
        #expect(try await fixture.ids() == ["c.md", "a.md"])
    }
}
