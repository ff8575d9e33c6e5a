import Audit
import Foundation
import GRDB
import JSON

extension AuditEntry {
    init(row: Row) {
        self.init(
            sequence: row["sequence"],
            record: AuditRecord(
                id: row["id"],
                timestamp: row["timestamp"],
                user: row["user_id"],
                roles: row["roles"],
                tool: row["tool_name"],
                permission: row["permission"],
                effect: row["effect"],
                targets: row["targets"],
                arguments: row["params"],
                argumentsDigest: row["params_sha256"],
                outcome: row["status"],
                message: row["result"],
                upstreamStatus: row["upstream_status"],
                durationMilliseconds: row["duration_ms"],
                traceID: row["trace_id"],
                requestID: row["request_id"],
                transport: row["transport"],
                replica: row["replica"]
            ),
            link: row.bytes("link")
        )
    }
}

extension Row {
    func bytes(_ column: String) -> [UInt8] {
        let data: Data = self[column]
        return Array(data)
    }
}

extension [UInt8] {
    static func fetchLink(_ database: Database, sequence: Int) throws -> [UInt8]? {
        try Data.fetchOne(database, sql: "SELECT link FROM tool_audit_log WHERE sequence = ?", arguments: [sequence])
            .map(Array.init)
    }
}

extension AuditRecord {
    /// The record as a note of a call that runs.
    var storedText: String { JSONValue.object(self.json).serializedString() }

    init?(storedText: String) {
        guard let value = try? JSONValue(parsing: storedText), let id = value["id"]?.stringValue,
            let timestamp = value["timestamp"]?.intValue
        else { return nil }
        func text(_ key: String) -> String { value[key]?.stringValue ?? "" }
        self.init(
            id: id,
            timestamp: timestamp,
            user: text("user_id"),
            roles: text("roles"),
            tool: text("tool_name"),
            permission: text("permission"),
            effect: text("effect"),
            targets: text("targets"),
            arguments: text("params"),
            argumentsDigest: text("params_sha256"),
            outcome: text("status"),
            message: value["result"]?.stringValue,
            upstreamStatus: value["upstream_status"]?.intValue,
            durationMilliseconds: value["duration_ms"]?.intValue ?? 0,
            traceID: value["trace_id"]?.stringValue,
            requestID: text("request_id"),
            transport: text("transport"),
            replica: text("replica")
        )
    }
}
