import Audit
import JSON
import MCP
import Postgres

/// The tables of the audit log.
enum AuditTables {
    static func migrations(_ chain: AuditChain) -> PostgresMigrations {
        PostgresMigrations(
            table: "audit_migrations",
            steps: [
                .init("tool_audit_log") { connection in
                    try await connection.execute(script: Self.first)
                    // Here and nowhere else: a beginning that is missing later was removed.
                    try await Self.write(.empty, chain, connection)
                }
            ]
        )
    }

    /// `params` is `json` and not `jsonb`: the links are over the text as it was written.
    private static let first = """
        CREATE TABLE tool_audit_log (
            sequence bigint PRIMARY KEY,
            id text NOT NULL UNIQUE,
            timestamp timestamptz NOT NULL,
            user_id text NOT NULL,
            roles text NOT NULL,
            tool_name text NOT NULL,
            permission text NOT NULL,
            effect text NOT NULL,
            targets text NOT NULL,
            params json NOT NULL,
            params_sha256 text NOT NULL,
            status text NOT NULL,
            result text,
            upstream_status bigint,
            duration_ms bigint NOT NULL,
            trace_id text,
            request_id text NOT NULL,
            transport text NOT NULL,
            replica text NOT NULL,
            link bytea NOT NULL
        );
        CREATE INDEX tool_audit_log_user ON tool_audit_log (user_id, sequence);
        CREATE INDEX tool_audit_log_tool ON tool_audit_log (tool_name, sequence);
        -- Calls that change something, from before they run until they are recorded.
        CREATE TABLE tool_audit_begun (
            id text PRIMARY KEY,
            timestamp timestamptz NOT NULL,
            record json NOT NULL
        );
        CREATE TABLE tool_audit_span (
            id integer PRIMARY KEY CHECK (id = 1),
            first bigint NOT NULL,
            first_link bytea NOT NULL,
            last bigint NOT NULL,
            last_link bytea NOT NULL,
            seal bytea NOT NULL
        );
        """

    /// Where the chain begins and ends, and if asked to, keeps it from others until the transaction ends.
    static func span(
        _ chain: AuditChain,
        _ connection: PostgresConnection,
        locking: Bool = false
    ) async throws -> AuditSpan {
        let rows = try await connection.query(
            "SELECT first, first_link, last, last_link, seal FROM tool_audit_span\(locking ? " FOR UPDATE" : "")"
        )
        guard let row = rows.first else {
            throw AuditError(
                .broken,
                "It is not known where the log begins and ends: its table tool_audit_span is empty."
            )
        }
        let span = AuditSpan(
            start: try row.get(0),
            startLink: try row.get(1),
            end: try row.get(2),
            endLink: try row.get(3)
        )
        guard try row.get(4, as: [UInt8].self) == chain.seal(span) else {
            throw AuditError(
                .broken,
                """
                Where the log begins and ends was changed, or the key is another one: all servers of one database need \
                the same GANTRY_AUDIT_KEY.
                """
            )
        }
        return span
    }

    static func write(_ span: AuditSpan, _ chain: AuditChain, _ connection: PostgresConnection) async throws {
        try await connection.query(
            """
            INSERT INTO tool_audit_span (id, first, first_link, last, last_link, seal) VALUES (1, $1, $2, $3, $4, $5)
            ON CONFLICT (id) DO UPDATE SET first = $1, first_link = $2, last = $3, last_link = $4, seal = $5
            """,
            [
                .int(span.start), .bytea(span.startLink), .int(span.end), .bytea(span.endLink),
                .bytea(chain.seal(span)),
            ]
        )
    }

    /// The columns of an entry, in the order in which ``entry(_:)`` reads them.
    static let columns = """
        sequence, id, (extract(epoch FROM timestamp) * 1000)::bigint, user_id, roles, tool_name, permission, effect, targets,
        params::text, params_sha256, status, result, upstream_status, duration_ms, trace_id, request_id, transport, replica,
        link
        """

    static func entry(_ row: PostgresRow) throws -> AuditEntry {
        AuditEntry(
            sequence: try row.get(0),
            record: AuditRecord(
                id: try row.get(1),
                timestamp: try row.get(2),
                user: try row.get(3),
                roles: try row.get(4),
                tool: try row.get(5),
                permission: try row.get(6),
                effect: try row.get(7),
                targets: try row.get(8),
                arguments: try row.get(9),
                argumentsDigest: try row.get(10),
                outcome: try row.get(11),
                message: try row.getIfPresent(12),
                upstreamStatus: try row.getIfPresent(13),
                durationMilliseconds: try row.get(14),
                traceID: try row.getIfPresent(15),
                requestID: try row.get(16),
                transport: try row.get(17),
                replica: try row.get(18)
            ),
            link: try row.get(19)
        )
    }

    /// Writes entries in one statement.
    static func insert(_ entries: [AuditEntry], _ connection: PostgresConnection) async throws {
        guard entries.isEmpty == false else { return }
        let rows = entries.map { entry -> JSONValue in
            var row = entry.record.json
            row["sequence"] = .integer(entry.sequence)
            row["link"] = .string(Hexadecimal.encode(entry.link))
            return .object(row)
        }
        try await connection.query(
            """
            INSERT INTO tool_audit_log
            SELECT sequence, id, to_timestamp(timestamp / 1000.0), user_id, roles, tool_name, permission, effect, targets,
                params::json, params_sha256, status, result, upstream_status, duration_ms, trace_id, request_id, transport,
                replica, decode(link, 'hex')
            FROM jsonb_to_recordset($1) AS row(
                sequence bigint, id text, timestamp bigint, user_id text, roles text, tool_name text, permission text,
                effect text, targets text, params text, params_sha256 text, status text, result text,
                upstream_status bigint, duration_ms bigint, trace_id text, request_id text, transport text, replica text,
                link text)
            """,
            [.jsonb(JSONValue.array(rows).serializedString())]
        )
    }
}
