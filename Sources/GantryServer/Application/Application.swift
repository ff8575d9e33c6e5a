public import Audit
import AuditSQLite
import CoordinationTools
import Embedding
import Extraction
import Foundation
import JiraTools
public import Knowledge
import KnowledgeTools
import KubernetesTools
public import Logging
public import MCPServer
import Postgres
import Reranking
import SharedState
import SharedStateRedis
import Upstream

/// Everything that Gantry consists of, built from its settings in one place.
///
/// Building it touches the disk (the stores that are files, the policy) and nothing else: the database is asked when it is
/// needed, the embedding model is loaded when a text is to be embedded for the first time, and Jira is asked when a tool
/// asks it.
public struct Application: Sendable {
    public let settings: Settings
    public let knowledge: KnowledgeBase
    /// What ingests uploads while the application serves.
    let workers: IngestWorkers
    public let server: MCPServer
    let embedder: (any Embedder)?
    let jira: (any JiraClient)?
    let database: PostgresPool?
    let redis: RedisClient?
    /// Who may do what.
    public let access: AccessControl
    /// The records of all calls.
    public let auditStore: any AuditStore
    /// With what they are linked.
    public let auditChain: AuditChain
    let auditLog: AuditLog
    /// What takes the records of all that is done.
    let recorder: any CallRecorder
    private let upstream: AsyncHTTPUpstream?
    let logger: Logger
    /// Where opinions about answers are kept, if the store keeps them.
    let feedback: any FeedbackStore
    let watch: KnowledgeWatch
    let leaseWatch: LeaseWatch
    let recrawler: Recrawler

    /// Builds the application.
    ///
    /// - Parameters:
    ///   - settings: Checked settings.
    ///   - logger: Where everything logs.
    ///   - executable: The path of this program, which is started again to read hostile formats in a process with limits
    ///     (see ``ExtractionWorker``); without one they are read in this process.
    /// - Throws: ``StartError`` if the data directory or the store in it can't be used.
    public init(settings: Settings, logger: Logger, executable: String? = nil) throws(StartError) {
        let jiraConfiguration = try Self.jiraConfiguration(settings)
        let embeddingsConfiguration = try Self.embeddingsConfiguration(settings)
        let database = try Self.database(settings, logger: logger)
        let (store, queue) = try Self.store(settings, database: database, logger: logger)
        let chain = try Self.auditChain(settings)
        let auditStore = try Self.auditStore(settings, chain, database: database, logger: logger)
        // Last of what may fail, because they have to be closed.
        let access = try AccessControl(settings: settings, database: database, logger: logger)
        let isOutsideAsked = jiraConfiguration != nil || embeddingsConfiguration != nil || settings.reranking != nil
        let upstream = isOutsideAsked ? AsyncHTTPUpstream() : nil
        var reranker: HTTPReranker?
        if let configuration = settings.reranking, let upstream {
            reranker = HTTPReranker(
                configuration: configuration,
                upstream: upstream,
                credential: settings.credential(.rerankAPIKey)
            )
        }
        var embedder: (any Embedder)?
        if let embeddingsConfiguration, let upstream {
            embedder = RemoteEmbedder(
                configuration: embeddingsConfiguration,
                upstream: upstream,
                credential: settings.credential(.embeddingsAPIKey)
            )
        } else {
            embedder = Self.embedder(settings, logger: logger)
        }
        let redis = settings.redis.map { RedisClient(configuration: $0, logger: logger) }
        let shared = redis.map { SharedStores.redis($0) } ?? .inMemory()
        let events = IndexEvents(bus: shared.bus, server: UUID().uuidString)
        let cache = SemanticCache()
        let knowledge = KnowledgeBase(
            store: store,
            embedder: embedder,
            reranker: reranker,
            extractor: FileExtractor(worker: executable),
            events: events,
            cache: cache,
            freshness: Freshness(policy: Self.stalenessPolicy(settings), store: store),
            now: { Date() }
        )
        var jira: CachedJiraClient?
        if let jiraConfiguration, let upstream {
            jira = CachedJiraClient(
                JiraCloudClient(
                    configuration: jiraConfiguration,
                    upstream: upstream,
                    token: settings.credential(.jiraToken)
                ),
                cache: CacheAside(
                    "jira:\(jiraConfiguration.baseURL):\(jiraConfiguration.user)",
                    store: shared.values,
                    policy: CachedJiraClient.policy
                )
            )
        }
        let auditLog = AuditLog(
            store: auditStore,
            replica: "\(ProcessInfo.processInfo.hostName):\(ProcessInfo.processInfo.processIdentifier)",
            retentionDays: settings.auditRetentionDays,
            logger: logger
        )
        self.auditStore = auditStore
        self.auditChain = chain
        self.auditLog = auditLog
        let recorder = CallRecorders([LogCallRecorder(logger: logger), auditLog])
        self.recorder = recorder
        self.settings = settings
        self.logger = logger
        self.embedder = embedder
        self.jira = jira
        self.database = database
        self.redis = redis
        self.access = access
        self.upstream = upstream
        self.knowledge = knowledge
        self.workers = IngestWorkers(queue: queue, base: knowledge) { error in
            logger.error("ingestion queue", metadata: ["error": "\(error)", "cause": "\(error.cause as Any)"])
        }
        self.server = MCPServer(
            name: "gantry",
            version: GantryVersion.current,
            options: Self.options(settings),
            logger: logger,
            authorizer: access.authorizer,
            recorder: recorder,
            stores: shared
        ) {
            if let jiraConfiguration, let jira {
                RetrieveBacklog(configuration: jiraConfiguration, jira: jira)
            }
            GenerateManifest()
            KnowledgeQuery(base: knowledge)
            GetDocument(base: knowledge)
            ListDocuments(base: knowledge)
            AddDocument(base: knowledge)
            DeleteDocument(base: knowledge)
            SendFeedback(quality: knowledge.quality, store: store, now: { Date() })
            KnowledgeQuality(base: knowledge, feedback: store, now: { Date() })
            QueryMetadata(base: knowledge, store: store)
            DocumentResources(base: knowledge)
            ClaimWork(stores: shared)
            RenewWork(stores: shared)
            ReleaseWork(leases: shared.leases)
            HandOffWork(leases: shared.leases)
            ListWork(leases: shared.leases)
            WorkResources(leases: shared.leases)
        }
        self.leaseWatch = LeaseWatch(stores: shared, server: self.server, logger: logger)
        self.feedback = store
        self.watch = KnowledgeWatch(server: self.server, events: events, log: store, cache: cache, logger: logger)
        self.recrawler = Recrawler(
            sources: settings.sources.filter { $0.path != nil },
            knowledge: knowledge,
            values: shared.values,
            logger: logger
        )
    }

    /// Closes the connections to other systems.
    ///
    /// Call it once, when nothing is asked any more.
    public func close() async {
        await self.auditLog.flush()
        await self.redis?.shutdown()
        await self.database?.close()
        await self.access.close(self.logger)
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
        options.limits = settings.limits
        if !settings.sealingKeys.isEmpty { options.sealingKeys = settings.sealingKeys }
        options.instructions = """
            Gantry gives access to a knowledge base of this organisation's documents, to Kubernetes manifests that follow \
            good practice, and, where it is configured, to the Jira backlog. Look into the knowledge base before you \
            answer a question about the organisation's own systems. Where other agents may be at work, claim what you \
            work on (work.claim) before you begin.
            """
        return options
    }
}
