import JSON

extension AuditRecord {
    /// The record as a note of a call that runs.
    package var storedText: String {
        var text: [UInt8] = []
        self.write(to: &text)
        return String(decoding: text, as: UTF8.self)
    }

    package init?(storedText: String) {
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

extension AuditRecord {
    /// The record without the one character that databases have no place for, or at which they end a text.
    package var withoutNull: AuditRecord {
        var record = self
        record.id = self.id.withoutNull
        record.user = self.user.withoutNull
        record.roles = self.roles.withoutNull
        record.tool = self.tool.withoutNull
        record.permission = self.permission.withoutNull
        record.targets = self.targets.withoutNull
        record.outcome = self.outcome.withoutNull
        record.message = self.message?.withoutNull
        record.traceID = self.traceID?.withoutNull
        record.requestID = self.requestID.withoutNull
        record.transport = self.transport.withoutNull
        record.replica = self.replica.withoutNull
        return record
    }
}

extension String {
    package var withoutNull: String {
        self.utf8.contains(0) ? self.replacing("\0", with: "\u{FFFD}") : self
    }
}
