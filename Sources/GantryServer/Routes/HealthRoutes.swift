import Hummingbird
import JSON
import Knowledge
import Logging

/// `GET /health` for people and programs, `/livez` and `/readyz` for orchestrators.
///
/// Readiness asks only for what every call needs. Jira is not among it: when Jira is down, everything else still
/// works, and a restart would not bring it back. `gantry doctor` looks at Jira.
struct HealthRoutes: Sendable {
    let knowledge: KnowledgeBase
    let jiraIsConfigured: Bool
    let toolCount: Int
    let isStopping: @Sendable () -> Bool
    let logger: Logger
    private let started = ContinuousClock.now

    init(
        knowledge: KnowledgeBase,
        jiraIsConfigured: Bool,
        toolCount: Int,
        isStopping: @escaping @Sendable () -> Bool,
        logger: Logger
    ) {
        self.knowledge = knowledge
        self.jiraIsConfigured = jiraIsConfigured
        self.toolCount = toolCount
        self.isStopping = isStopping
        self.logger = logger
    }

    func add(to router: some RouterMethods<some RequestContext>) {
        router.get("/health") { _, _ in await self.health() }
        router.get("/livez") { _, _ in Response.json(["status": "alive"]) }
        router.get("/readyz") { _, _ in await self.readiness() }
    }

    private func health() async -> Response {
        var answer: JSONObject = [
            "status": "healthy",
            "version": .string(GantryVersion.current),
            "uptime_seconds": .integer(Int((.now - self.started).components.seconds)),
            "tools": .integer(self.toolCount),
            "jira": .string(self.jiraIsConfigured ? "configured" : "not configured"),
        ]
        guard let status = await self.knowledgeStatus() else {
            answer["status"] = "unhealthy"
            answer["knowledge"] = ["mode": "unavailable", "notice": "The knowledge store can't be read; see the log."]
            return .json(.object(answer), status: .serviceUnavailable)
        }
        answer["knowledge"] = .object(status.json)
        return .json(.object(answer))
    }

    private func readiness() async -> Response {
        var reasons: [JSONValue] = []
        if self.isStopping() {
            reasons.append("The server is being stopped.")
        }
        if await self.knowledgeStatus() == nil {
            reasons.append("The knowledge store can't be read; see the log.")
        }
        let answer: JSONValue = ["status": reasons.isEmpty ? "ready" : "not ready", "reasons": .array(reasons)]
        return .json(answer, status: reasons.isEmpty ? .ok : .serviceUnavailable)
    }

    private func knowledgeStatus() async -> KnowledgeStatus? {
        do {
            return try await self.knowledge.status()
        } catch {
            self.logger.error("knowledge store unavailable", metadata: ["error": "\(error)"])
            return nil
        }
    }
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
