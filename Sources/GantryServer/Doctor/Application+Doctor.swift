import Foundation
import JiraTools
import Knowledge
import MCPServer
import Postgres
import Secrets
import SharedState
import SharedStateRedis

extension Application {
    /// Tries out every part.
    public func diagnose() async -> [Finding] {
        [
            self.dataDirectoryFinding(), await self.secretsFinding(), await self.storeFinding(),
            await self.qualityFinding(),
            await self.sharedStateFinding(), await self.modelFinding(), await self.jiraFinding(),
        ]
    }

    private func dataDirectoryFinding() -> Finding {
        let path = self.settings.dataDirectory
        guard FileManager.default.isWritableFile(atPath: path) else {
            return Finding(part: "data directory", verdict: .broken, message: "\(path) is not writable.")
        }
        return Finding(part: "data directory", verdict: .ok, message: path)
    }

    /// Whether the secrets can be had that settings name.
    private func secretsFinding() async -> Finding {
        let part = "secrets"
        guard let secrets = self.settings.secrets, self.settings.references.isEmpty == false else {
            return Finding(part: part, verdict: .ok, message: "No setting is kept elsewhere (secret://NAME#field).")
        }
        for (key, reference) in self.settings.references.sorted(by: { $0.key.name < $1.key.name }) {
            do {
                _ = try await secrets.value(of: reference)
            } catch {
                return Finding(part: part, verdict: .broken, message: "\(key.name): \(error.message)")
            }
        }
        let names = self.settings.references.keys.map(\.name).sorted().joined(separator: ", ")
        return Finding(part: part, verdict: .ok, message: "found: \(names)")
    }

    private func storeFinding() async -> Finding {
        do {
            let status = try await self.knowledge.status()
            let place = self.database.map { "\($0.configuration)" } ?? "SQLite"
            var counts = "\(place): \(status.store.documentCount) documents, \(status.store.chunkCount) chunks"
            if let reindex = status.store.reindex {
                counts += """
                    ; being brought to the model \(reindex.modelName), \(reindex.embeddedCount) of \(reindex.chunkCount) \
                    chunks done (gantry reindex goes on with it)
                    """
            }
            if let own = status.store.modelName, let embedder = status.embedder, own != embedder.name {
                return Finding(
                    part: "knowledge store",
                    verdict: .broken,
                    message: "\(counts); indexed with the model \(own), not with \(embedder.name). Run gantry reindex."
                )
            }
            guard let notice = status.notice else {
                return Finding(part: "knowledge store", verdict: .ok, message: counts)
            }
            return Finding(part: "knowledge store", verdict: .notice, message: "\(counts); \(notice)")
        } catch {
            return Finding(part: "knowledge store", verdict: .broken, message: error.message)
        }
    }

    private func sharedStateFinding() async -> Finding {
        let part = "shared state"
        guard let redis else {
            return Finding(part: part, verdict: .ok, message: "in memory, for one replica (REDIS_URL isn't set)")
        }
        do {
            try await redis.ping()
            return Finding(part: part, verdict: .ok, message: "\(redis.configuration)")
        } catch {
            return Finding(part: part, verdict: .broken, message: "\(redis.configuration): \(error.message)")
        }
    }

    /// What people and agents think of the answers.
    private func qualityFinding() async -> Finding {
        let part = "answers"
        let counts: [Feedback.Verdict: Int]
        do {
            counts = try await self.feedback.feedbackCounts(since: Date().addingTimeInterval(-7 * 86_400))
        } catch {
            return Finding(part: part, verdict: .broken, message: error.message)
        }
        let total = counts.values.reduce(0, +)
        guard total > 0 else { return Finding(part: part, verdict: .ok, message: "no feedback in the last 7 days") }
        let list = Feedback.Verdict.allCases.compactMap { verdict in counts[verdict].map { "\($0) \(verdict.rawValue)" }
        }
        let helpful = counts[.helpful] ?? 0
        return Finding(
            part: part,
            verdict: helpful * 2 < total ? .notice : .ok,
            message: "feedback of the last 7 days: \(list.joined(separator: ", "))"
        )
    }

    private func modelFinding() async -> Finding {
        guard let embedder else {
            return Finding(
                part: "embedding model",
                verdict: .notice,
                message: "The model is missing; queries are lexical. Get it with: make setup"
            )
        }
        let place = self.settings.embeddings.map { " at \($0.url)" } ?? ""
        do {
            _ = try await embedder.embed(["Gantry"], for: .query)
            return Finding(part: "embedding model", verdict: .ok, message: embedder.model.name + place)
        } catch {
            let reason = (error as? any EmbedderFailure)?.message ?? "\(error)"
            return Finding(part: "embedding model", verdict: .broken, message: "It can't embed a text. \(reason)")
        }
    }

    private func jiraFinding() async -> Finding {
        guard let jira, let site = self.settings.jira else {
            return Finding(part: "Jira", verdict: .notice, message: "It isn't configured; there are no Jira tools.")
        }
        // Jira answers only bounded queries; this one says nothing about the issues, and finds none or one.
        let query = site.projects.isEmpty ? "created >= -1d" : "project in (\(site.projects.joined(separator: ", ")))"
        do {
            _ = try await jira.issues(jql: query, maximum: 1, deadline: .now + .seconds(10))
            return Finding(part: "Jira", verdict: .ok, message: site.url)
        } catch {
            let message = (error as? ToolError)?.message ?? "\(error)"
            return Finding(part: "Jira", verdict: .broken, message: "\(site.url): \(message)")
        }
    }
}
