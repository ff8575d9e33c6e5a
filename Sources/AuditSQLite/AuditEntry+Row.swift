import Audit
import Foundation
import GRDB

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
