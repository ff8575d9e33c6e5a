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

    /// The record as `GET /audit` shows it.
    public var json: JSONObject {
        var json: JSONObject = [:]
        self.forEachField { json[$0] = $1 }
        return json
    }

    /// Appends the text of ``json``, as it goes into the chain.
    func write(to text: inout [UInt8]) {
        // Not by way of the object, which looks at each name whether it has come before.
        JSONWriter.writeObject(to: &text, self.forEachField)
    }

    /// Every field, in one order.
    private func forEachField(_ body: (String, JSONValue) -> Void) {
        func optional(_ text: String?) -> JSONValue { text.map(JSONValue.string) ?? .null }
        body("id", .string(self.id))
        body("timestamp", .integer(self.timestamp))
        body("user_id", .string(self.user))
        body("roles", .string(self.roles))
        body("tool_name", .string(self.tool))
        body("permission", .string(self.permission))
        body("effect", .string(self.effect))
        body("targets", .string(self.targets))
        body("params", .string(self.arguments))
        body("params_sha256", .string(self.argumentsDigest))
        body("status", .string(self.outcome))
        body("result", optional(self.message))
        body("upstream_status", self.upstreamStatus.map(JSONValue.integer) ?? .null)
        body("duration_ms", .integer(self.durationMilliseconds))
        body("trace_id", optional(self.traceID))
        body("request_id", .string(self.requestID))
        body("transport", .string(self.transport))
        body("replica", .string(self.replica))
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
