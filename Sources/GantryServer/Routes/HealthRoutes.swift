import Hummingbird
import JSON
import Knowledge
import Logging
import Postgres
import SharedState
import SharedStateRedis

/// `GET /health` for people and programs, `/livez` and `/readyz` for orchestrators.
///
/// A replica is not ready for what is wrong with itself. What all replicas share (PostgreSQL, Redis) makes it degraded:
/// if all of them left the load balancer at once, nothing at all would be answered, though much still works. Jira is in
/// neither: `gantry doctor` looks at it.
struct HealthRoutes: Sendable {
    /// How long is waited for a dependency.
    ///
    /// Kubernetes waits a second for the whole answer.
    private static let probeTime = Duration.milliseconds(700)

    let isDatabaseShared: Bool
    let jiraIsConfigured: Bool
    let toolCount: Int
    let isStopping: @Sendable () -> Bool
    private let knowledge: Probe<KnowledgeStatus?>
    /// Whether Redis answers.
    private let redis: Probe<Bool>?
    private let started = ContinuousClock.now

    init(
        knowledge: KnowledgeBase,
        database: PostgresPool?,
        redis: RedisClient?,
        jiraIsConfigured: Bool,
        toolCount: Int,
        isStopping: @escaping @Sendable () -> Bool,
        logger: Logger
    ) {
        self.isDatabaseShared = database != nil
        self.jiraIsConfigured = jiraIsConfigured
        self.toolCount = toolCount
        self.isStopping = isStopping
        self.knowledge = Probe {
            do {
                return try await knowledge.status()
            } catch {
                logger.error("knowledge store unavailable", metadata: ["error": "\(error)"])
                return nil
            }
        }
        self.redis = redis.map { redis in
            Probe {
                do throws(SharedStateError) {
                    try await redis.ping()
                    return true
                } catch {
                    logger.error("shared state unavailable", metadata: ["error": "\(error.message)"])
                    return false
                }
            }
        }
    }

    func add(to router: some RouterMethods<some RequestContext>) {
        router.get("/health") { _, _ in await self.health() }
        router.get("/livez") { _, _ in Response.json(["status": "alive"]) }
        router.get("/readyz") { _, _ in await self.readiness() }
    }

    private func health() async -> Response {
        let parts = await self.look()
        var answer: JSONObject = [
            "status": .string(parts.isWhole ? "healthy" : parts.isUsable ? "degraded" : "unhealthy"),
            "version": .string(GantryVersion.current),
            "uptime_seconds": .integer(Int((.now - self.started).components.seconds)),
            "tools": .integer(self.toolCount),
            "jira": .string(self.jiraIsConfigured ? "configured" : "not configured"),
        ]
        switch parts.redis {
        case .some(true): answer["shared_state"] = ["mode": "redis"]
        case .some(false): answer["shared_state"] = ["mode": "unavailable", "notice": .string(Parts.redisNotice)]
        case nil: answer["shared_state"] = ["mode": "in memory"]
        }
        if let knowledge = parts.knowledge {
            answer["knowledge"] = .object(knowledge.json)
        } else {
            answer["knowledge"] = ["mode": "unavailable", "notice": .string(Parts.knowledgeNotice)]
        }
        return .json(.object(answer), status: parts.isUsable ? .ok : .serviceUnavailable)
    }

    private func readiness() async -> Response {
        let parts = await self.look()
        let isStopping = self.isStopping()
        var reasons: [JSONValue] = []
        if isStopping { reasons.append("The server is being stopped.") }
        if parts.knowledge == nil { reasons.append(.string(Parts.knowledgeNotice)) }
        if parts.redis == false { reasons.append(.string(Parts.redisNotice)) }
        let isReady = parts.isUsable && !isStopping
        let answer: JSONValue = [
            "status": .string(reasons.isEmpty ? "ready" : isReady ? "degraded" : "not ready"),
            "reasons": .array(reasons),
        ]
        return .json(answer, status: isReady ? .ok : .serviceUnavailable)
    }

    private func look() async -> Parts {
        async let knowledge = self.knowledge.value(within: Self.probeTime)
        async let redis = self.redis?.value(within: Self.probeTime)
        return Parts(
            knowledge: await knowledge ?? nil,
            // What does not answer in time is away.
            redis: self.redis == nil ? nil : await redis ?? false,
            isDatabaseShared: self.isDatabaseShared
        )
    }
}

/// What was seen of the parts.
private struct Parts {
    static let knowledgeNotice = "The knowledge store can't be read; see the log."
    static let redisNotice = """
        Redis can't be reached: sessions and tasks are unavailable until it is back. Calls that need neither go on.
        """

    var knowledge: KnowledgeStatus?
    /// Whether Redis answers; nothing if there is none.
    var redis: Bool?
    var isDatabaseShared: Bool

    var isWhole: Bool { self.knowledge != nil && self.redis != false }
    /// Whether nothing is missing but what all replicas miss.
    var isUsable: Bool { self.knowledge != nil || self.isDatabaseShared }
}

extension KnowledgeStatus {
    /// What is in the knowledge base and how it answers, as `/health` shows it.
    var json: JSONObject {
        var object: JSONObject = [
            "mode": .string(self.mode.rawValue),
            "documents": .integer(self.store.documentCount),
            "chunks": .integer(self.store.chunkCount),
        ]
        if let model = self.embedder {
            object["model"] = .string(model.name)
        }
        if let notice = self.notice {
            object["notice"] = .string(notice)
        }
        return object
    }
}
