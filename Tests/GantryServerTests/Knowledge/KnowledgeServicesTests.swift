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

    @Test("Clients hear of changes of this process and of other programs on the same store")
    func notifications() async throws {
        let fixture = try TemporaryApplication()
        let application = fixture.application
        try await application.knowledge.ingest([Document(id: "a", text: "One."), Document(id: "b", text: "Two.")])
        let (heard, continuation) = AsyncStream<JSONRPCNotification>.makeStream()
        let client = InProcessClient(server: application.server, onNotification: { continuation.yield($0) })
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await application.watch.run() }
            group.addTask {
                _ = try? await client.request(
                    "subscriptions/listen",
                    [
                        "notifications": [
                            "resourcesListChanged": true,
                            "resourceSubscriptions": [
                                "gantry://documents/a", "gantry://documents/b", "gantry://documents/none",
                            ],
                        ]
                    ]
                )
            }
            var notifications = heard.makeAsyncIterator()
            let acknowledgement = await notifications.next()
            // What isn't there can't be heard of.
            let granted = acknowledgement?.params["notifications"]?["resourceSubscriptions"]
            #expect(granted == ["gantry://documents/a", "gantry://documents/b"])

            // Of this process. The watch may not listen yet, so the document changes until it does.
            group.addTask {
                for version in 0..<1_000_000 {
                    try await application.knowledge.ingest([Document(id: "a", text: "Version \(version).")])
                    try await Task.sleep(for: .milliseconds(50))
                }
            }
            while let notification = await notifications.next() {
                if notification.params["uri"] == "gantry://documents/a" { break }
            }
            // Of another program: another opener of the same file, on a bus of its own.
            let other = try Application(settings: application.settings, logger: Logger(label: "other"))
            try await other.knowledge.ingest([Document(id: "b", text: "Changed by somebody else.")])
            try await other.knowledge.ingest([Document(id: "c", text: "New.")])
            var lists = 0
            var isTold = false
            while !isTold || lists == 0, let notification = await notifications.next() {
                if notification.params["uri"] == "gantry://documents/b" { isTold = true }
                if notification.method == "notifications/resources/list_changed" { lists += 1 }
            }
            #expect(isTold && lists > 0)
            group.cancelAll()
        }
    }
}
