public import JSON

/// One call as the audit log keeps it.
public struct AuditRecord: Sendable, Hashable {
    /// Names the call and no other.
    public var id: String
    /// When the call was over, in milliseconds since 1970.
    public var timestamp: Int
    /// Who called.
    public var user: String
    /// The roles of who called, with spaces between.
    public var roles: String
    public var tool: String
    public var permission: String
    /// `read`, `write` or `destructive`.
    public var effect: String
    /// What the call was about, such as `jira_projects ENG`, with commas between.
    public var targets: String
    /// The arguments as JSON, without secrets, and cut if they are long.
    public var arguments: String
    /// SHA-256 of the arguments without secrets and uncut, in hexadecimal digits.
    public var argumentsDigest: String
    /// `ok`, or the code of the error.
    public var outcome: String
    /// What the caller was told went wrong.
    public var message: String?
    /// The HTTP status with which an upstream refused.
    public var upstreamStatus: Int?
    public var durationMilliseconds: Int
    /// The W3C trace id.
    public var traceID: String?
    public var requestID: String
    /// The way in: `http`, `stdio`, `rest`, `cli`.
    public var transport: String
    /// The process that served the call.
    public var replica: String

    public init(
        id: String,
        timestamp: Int,
        user: String,
        roles: String,
        tool: String,
        permission: String,
        effect: String,
        targets: String,
        arguments: String,
        argumentsDigest: String,
        outcome: String,
        message: String? = nil,
        upstreamStatus: Int? = nil,
        durationMilliseconds: Int,
        traceID: String? = nil,
        requestID: String,
        transport: String,
        replica: String
    ) {
        self.id = id
        self.timestamp = timestamp
        self.user = user
        self.roles = roles
        self.tool = tool
        self.permission = permission
        self.effect = effect
        self.targets = targets
        self.arguments = arguments
        self.argumentsDigest = argumentsDigest
        self.outcome = outcome
        self.message = message
        self.upstreamStatus = upstreamStatus
        self.durationMilliseconds = durationMilliseconds
        self.traceID = traceID
        self.requestID = requestID
        self.transport = transport
        self.replica = replica
    }

    /// The record as `GET /audit` shows it, and as it goes into the chain: every field, in one order.
    public var json: JSONObject {
        func optional(_ text: String?) -> JSONValue { text.map(JSONValue.string) ?? .null }
        return [
            "id": .string(self.id), "timestamp": .integer(self.timestamp), "user_id": .string(self.user),
            "roles": .string(self.roles), "tool_name": .string(self.tool), "permission": .string(self.permission),
            "effect": .string(self.effect), "targets": .string(self.targets), "params": .string(self.arguments),
            "params_sha256": .string(self.argumentsDigest), "status": .string(self.outcome),
            "result": optional(self.message), "upstream_status": self.upstreamStatus.map(JSONValue.integer) ?? .null,
            "duration_ms": .integer(self.durationMilliseconds), "trace_id": optional(self.traceID),
            "request_id": .string(self.requestID), "transport": .string(self.transport),
            "replica": .string(self.replica),
        ]
    }
}

/// A record with its place in the chain.
public struct AuditEntry: Sendable, Hashable {
    /// Counts from 1, without gaps.
    public var sequence: Int
    public var record: AuditRecord
    /// The link: see ``AuditChain``.
    public var link: [UInt8]

    public init(sequence: Int, record: AuditRecord, link: [UInt8]) {
        self.sequence = sequence
        self.record = record
        self.link = link
    }
}
