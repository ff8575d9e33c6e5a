import Embedding
import Extraction
import Foundation
import JiraTools
public import Knowledge
import KnowledgeSQLite
import KnowledgeTools
import KubernetesTools
public import Logging
public import MCPServer
import Upstream

/// Everything that Gantry consists of, built from its settings in one place.
///
/// Building it touches the disk (the knowledge store) and nothing else: the embedding model is loaded when a text is to
/// be embedded for the first time, and Jira is asked when a tool asks it.
public struct Application: Sendable {
    public let settings: Settings
    public let knowledge: KnowledgeBase
    /// What ingests uploads while the application serves.
    let workers: IngestWorkers
    public let server: MCPServer
    let embedder: (any Embedder)?
    let jira: (any JiraClient)?
    private let upstream: AsyncHTTPUpstream?
    let logger: Logger

    /// Builds the application.
    ///
    /// - Parameters:
    ///   - settings: Checked settings.
    ///   - logger: Where everything logs.
    ///   - executable: The path of this program, which is started again to read hostile formats in a process with limits
    ///     (see ``ExtractionWorker``); without one they are read in this process.
    /// - Throws: ``StartError`` if the data directory or the store in it can't be used.
    public init(settings: Settings, logger: Logger, executable: String? = nil) throws(StartError) {
        let embedder = Self.embedder(settings, logger: logger)
        let store = try Self.store(settings)
        let knowledge = KnowledgeBase(
            store: store,
            embedder: embedder,
            extractor: FileExtractor(worker: executable),
            now: { Date() }
        )
        let jiraConfiguration = try Self.jiraConfiguration(settings)
        let upstream = jiraConfiguration.map { _ in AsyncHTTPUpstream() }
        var jira: JiraCloudClient?
        if let jiraConfiguration, let upstream {
            jira = JiraCloudClient(configuration: jiraConfiguration, upstream: upstream)
        }
        self.settings = settings
        self.logger = logger
        self.embedder = embedder
        self.jira = jira
        self.upstream = upstream
        self.knowledge = knowledge
        self.workers = IngestWorkers(queue: SQLiteIngestQueue(store: store), base: knowledge) { error in
            logger.error("ingestion queue", metadata: ["error": "\(error)", "cause": "\(error.cause as Any)"])
        }
        self.server = MCPServer(
            name: "gantry",
            version: GantryVersion.current,
            options: Self.options(settings),
            logger: logger,
            authorizer: LocalAuthorizer(readOnly: settings.isReadOnly)
        ) {
            if let jiraConfiguration, let jira {
                RetrieveBacklog(configuration: jiraConfiguration, jira: jira)
            }
            GenerateManifest()
            KnowledgeQuery(base: knowledge)
        }
    }

    /// Closes the connections to other systems.
    ///
    /// Call it once, when nothing is asked any more.
    public func close() async {
        do {
            try await self.upstream?.shutdown()
        } catch {
            self.logger.warning("connections not closed cleanly", metadata: ["error": "\(error)"])
        }
    }

    /// The name of a tool as clients call it.
    func wireName(_ name: ToolName) -> String {
        switch self.settings.toolNames {
        case .dotted: name.rawValue
        case .underscore: name.rawValue.replacing(".", with: "_")
        }
    }

    private static func options(_ settings: Settings) -> MCPServer.Options {
        var options = MCPServer.Options()
        options.title = "Gantry"
        options.naming = settings.toolNames
        options.offersOperations = true
        options.instructions = """
            Gantry gives access to a knowledge base of this organisation's documents, to Kubernetes manifests that follow \
            good practice, and, where it is configured, to the Jira backlog. Look into the knowledge base before you \
            answer a question about the organisation's own systems.
            """
        return options
    }

    /// Opens the knowledge store, and makes the data directory if there is none.
    private static func store(_ settings: Settings) throws(StartError) -> SQLiteKnowledgeStore {
        do {
            // Others on this machine have no business in it: it holds documents.
            try FileManager.default.createDirectory(
                atPath: settings.dataDirectory,
                withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700]
            )
        } catch {
            throw StartError(
                "GANTRY_DATA_DIR: “\(settings.dataDirectory)” can't be made: \(error.localizedDescription)"
            )
        }
        do {
            return try SQLiteKnowledgeStore(path: "\(settings.dataDirectory)/knowledge.sqlite")
        } catch {
            throw StartError("The knowledge store in “\(settings.dataDirectory)” can't be used: \(error.message)")
        }
    }
}
