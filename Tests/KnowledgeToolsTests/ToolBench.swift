import Extraction
import Foundation
import JSON
import Knowledge
import KnowledgeSQLite
import KnowledgeTools
import MCPClient
import MCPServer
import SharedState
import Synchronization

/// All tools of the knowledge base on a store of their own, in a directory that goes with it.
final class ToolBench: Sendable {
    static let now = Date(timeIntervalSince1970: 1_800_000_000)

    let store: SQLiteKnowledgeStore
    let base: KnowledgeBase
    let server: MCPServer
    private let directory: URL

    init(
        policy: StalenessPolicy = StalenessPolicy(),
        pageSize: Int = 1000,
        isReadOnly: Bool = false,
        embedder: (any Embedder)? = nil
    ) throws {
        self.directory = FileManager.default.temporaryDirectory.appending(path: "tools-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: self.directory, withIntermediateDirectories: true)
        let store = try SQLiteKnowledgeStore(path: self.directory.appending(path: "knowledge.sqlite").path)
        let shared = SharedStores.inMemory()
        let base = KnowledgeBase(
            store: store,
            embedder: embedder,
            extractor: FileExtractor(),
            events: IndexEvents(bus: shared.bus, server: "bench"),
            cache: SemanticCache(),
            freshness: Freshness(policy: policy, store: store),
            now: { Self.now }
        )
        self.store = store
        self.base = base
        var options = MCPServer.Options()
        options.pageSize = pageSize
        self.server = MCPServer(
            name: "test",
            version: "1",
            options: options,
            authorizer: LocalAuthorizer(readOnly: isReadOnly),
            stores: shared
        ) {
            KnowledgeQuery(base: base)
            GetDocument(base: base)
            ListDocuments(base: base)
            AddDocument(base: base)
            DeleteDocument(base: base)
            SendFeedback(quality: base.quality, store: store, now: { Self.now })
            KnowledgeQuality(base: base, feedback: store, now: { Self.now })
            QueryMetadata(base: base, store: store)
            DocumentResources(base: base)
        }
    }

    deinit { try? FileManager.default.removeItem(at: self.directory) }

    /// Calls a tool as REST does: nobody can be asked.
    @discardableResult
    func call(_ tool: String, _ arguments: JSONObject = [:], as principal: Principal = .local) async throws -> JSONValue
    {
        try await self.server.callTool(
            ToolInvocation(
                tool: tool,
                arguments: arguments,
                requestID: "1",
                transport: "test",
                principal: principal
            )
        ).structured
    }

    /// The error that a call fails with.
    func failure(_ tool: String, _ arguments: JSONObject = [:], as principal: Principal = .local) async -> ToolError? {
        do {
            try await self.call(tool, arguments, as: principal)
            return nil
        } catch {
            return error as? ToolError
        }
    }

    func fill(_ count: Int) async throws {
        for index in 0..<count {
            let number = String(index + 1000).dropFirst()
            try await self.call(
                "knowledge.add_document",
                [
                    "document_id": .string("docs/\(number).md"), "title": .string("Title \(number)"),
                    "text": .string("# Title \(number)\n\nThe barometer number \(number) hangs in the hall."),
                    "metadata": ["number": .integer(index), "kind": .string(index.isMultiple(of: 2) ? "even" : "odd")],
                ]
            )
        }
    }
}
