import Audit
import Foundation
import HTTPTypes
import Hummingbird
import JSON
import Logging
import MCPServer

/// `GET /audit`: the records of calls, the newest first, page by page, for those who have `audit:read`.
///
/// Filters: `user`, `tool`, `status`, `target` (such as `jira_projects ENG`), `since` and `until` (RFC 3339); `limit` is 1
/// to 500, 50 by default. The answer has `next` as long as there is more: pass it as `cursor`.
struct AuditRoutes: Sendable {
    private static let parameters: Set<String> = [
        "user", "tool", "status", "target", "since", "until", "limit", "cursor",
    ]
    private static let maximumLimit = 500

    let store: any AuditStore
    let logger: Logger

    func add(to router: some RouterMethods<GantryRequestContext>) {
        router.get("/audit") { request, _ in await self.list(request) }
    }

    private func list(_ request: Request) async -> Response {
        do throws(ToolError) {
            let (filter, limit) = try Self.question(request)
            let entries: [AuditEntry]
            do {
                // One more than asked for shows whether there is another page.
                entries = try await self.store.entries(matching: filter, limit: limit + 1)
            } catch {
                self.logger.error("audit log not read", metadata: ["error": "\(error)"])
                throw ToolError(.upstreamUnavailable, "The audit log can't be read now.", retryable: true)
            }
            var answer: JSONObject = ["records": .array(entries.prefix(limit).map(Self.json))]
            if entries.count > limit, let last = entries.prefix(limit).last {
                answer["next"] = .string(String(last.sequence))
            }
            return .json(.object(answer))
        } catch {
            return .failure(error)
        }
    }

    private static func question(_ request: Request) throws(ToolError) -> (AuditFilter, limit: Int) {
        let query = request.uri.queryParameters
        for (name, _) in query where self.parameters.contains(String(name)) == false {
            let known = self.parameters.sorted().joined(separator: ", ")
            throw ToolError(.invalidArguments, "There is no parameter \(name.prefix(64)); there are \(known).")
        }
        var filter = AuditFilter()
        filter.user = query["user"].map(String.init)
        filter.tool = query["tool"].map(String.init)
        filter.outcome = query["status"].map(String.init)
        filter.target = query["target"].map(String.init)
        filter.since = try self.time(query["since"], "since")
        filter.until = try self.time(query["until"], "until")
        if let cursor = query["cursor"] {
            guard let before = Int(cursor), before > 0 else {
                throw ToolError(.invalidArguments, "The cursor is not one that this server gave.")
            }
            filter.before = before
        }
        guard let limit = query["limit"] else { return (filter, 50) }
        guard let limit = Int(limit), (1...self.maximumLimit).contains(limit) else {
            throw ToolError(.invalidArguments, "limit is a number from 1 to \(self.maximumLimit).")
        }
        return (filter, limit)
    }

    private static func time(_ text: Substring?, _ name: String) throws(ToolError) -> Int? {
        guard let text else { return nil }
        guard let date = try? Date(String(text), strategy: .iso8601) else {
            throw ToolError(.invalidArguments, "\(name) is a time such as 2026-07-28T12:00:00Z.")
        }
        return Int(date.timeIntervalSince1970 * 1000)
    }

    private static func json(_ entry: AuditEntry) -> JSONValue {
        var object: JSONObject = ["sequence": .integer(entry.sequence)]
        for (key, value) in entry.record.json {
            switch key {
            case "timestamp":
                let date = Date(timeIntervalSince1970: Double(entry.record.timestamp) / 1000)
                object[key] = .string(date.ISO8601Format(.init(includingFractionalSeconds: true)))
            case "params": object[key] = (try? JSONValue(parsing: entry.record.arguments)) ?? value
            case "roles", "targets":
                let separator: Character = key == "roles" ? " " : ","
                let parts = (value.stringValue ?? "").split(separator: separator)
                object[key] = .array(parts.map { .string(String($0)) })
            default: object[key] = value
            }
        }
        return .object(object)
    }
}
