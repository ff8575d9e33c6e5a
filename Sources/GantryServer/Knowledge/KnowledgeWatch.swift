import Knowledge
import KnowledgeTools
import Logging
import MCPServer
import ServiceLifecycle
import SharedState
import Synchronization

/// Tells clients which documents have changed, whoever changed them, and lets go of answers that no longer hold.
///
/// Changes of this process come over the event bus, at once. Those of other programs on the same store are found in the
/// store's own record of changes, which is looked at from time to time: SQLite has no way to tell another process.
struct KnowledgeWatch: Service {
    /// How often the store is asked whether another program has changed something.
    static let interval = Duration.seconds(2)

    /// How many changed documents are told one by one.
    private static let maximumDocuments = 256

    let server: MCPServer
    let events: IndexEvents
    /// The store's record of changes, if it keeps one.
    let log: (any IndexChangeLog)?
    let cache: SemanticCache
    let logger: Logger

    func run() async throws {
        try? await cancelWhenGracefulShutdown {
            try await withThrowingDiscardingTaskGroup { group in
                let told = ToldDocuments()
                group.addTask { try await self.followEvents(told) }
                if let log { group.addTask { try await self.follow(log, told) } }
            }
        }
    }

    private func followEvents(_ told: ToldDocuments) async throws {
        while true {
            do {
                for await (event, origin) in try await self.events.subscribe() {
                    switch origin {
                    case .thisProcess:
                        told.add(event.documentID)
                        await self.tell(event.documentID, changesList: event.changesList)
                    case .anotherServer: told.add(event.documentID)
                    case .anotherProgram: break
                    }
                }
            } catch {
                self.logger.warning("events of the knowledge base not heard", metadata: ["error": "\(error)"])
            }
            try await Task.sleep(for: Self.interval)
        }
    }

    private func follow(_ log: any IndexChangeLog, _ told: ToldDocuments) async throws {
        var known: Int64?
        while true {
            do {
                let start: Int64
                // At the start, all changes so far are known.
                if let known { start = known } else { start = try await log.changes(after: .max, limit: 1).generation }
                known = start
                let changes = try await log.changes(after: start, limit: Self.maximumDocuments)
                if changes.generation > start { await self.take(changes, told) }
                known = changes.generation
            } catch {
                self.logger.warning("changes of the knowledge store unreadable", metadata: ["error": "\(error)"])
            }
            try await Task.sleep(for: Self.interval)
        }
    }

    private func take(_ changes: IndexChanges, _ told: ToldDocuments) async {
        self.cache.invalidate(before: changes.generation)
        let alreadyTold = told.takeAll()
        guard let documents = changes.documents else {
            await self.server.announce(.resources)
            return
        }
        for id in documents.keys.sorted() where !alreadyTold.contains(id) {
            // Whether another program added the document or only changed it can't be seen from here.
            await self.tell(id, changesList: true)
        }
    }

    private func tell(_ id: String, changesList: Bool) async {
        await self.server.resourceUpdated(DocumentResources.uri(of: id))
        if changesList { await self.server.announce(.resources) }
    }
}

/// The documents of which clients have been told since the store was last looked at.
private final class ToldDocuments: Sendable {
    private static let maximum = 100_000

    private let ids = Mutex<Set<String>>([])

    func add(_ id: String) {
        self.ids.withLock { ids in
            // Telling twice does no harm.
            if ids.count < Self.maximum { ids.insert(id) }
        }
    }

    func takeAll() -> Set<String> {
        self.ids.withLock { ids in
            defer { ids = [] }
            return ids
        }
    }
}
