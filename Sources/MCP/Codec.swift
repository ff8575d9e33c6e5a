public import JSON

/// Gives messages the shape that one protocol revision wants.
///
/// Everything that differs between revisions is decided here, by asking the revision for its features. Handlers are
/// written once and never see a version.
public struct Codec: Sendable {
    public let revision: ProtocolRevision

    public init(_ revision: ProtocolRevision) {
        self.revision = revision
    }

    /// How long and for whom a client may keep a list.
    ///
    /// Specification: 2026-07-28, server/utilities/caching.
    public struct CachingHint: Sendable {
        public enum Scope: String, Sendable {
            case `public`
            case `private`
        }

        public var milliseconds: Int
        public var scope: Scope

        public init(milliseconds: Int, scope: Scope) {
            self.milliseconds = milliseconds
            self.scope = scope
        }
    }

    /// A complete result: the members, and what the revision wants beside them.
    public func complete(
        _ members: JSONObject,
        serverInfo: JSONValue,
        resultType: String = "complete",
        caching: CachingHint? = nil
    ) -> JSONObject {
        guard self.revision.supports(.statelessEnvelope) else { return members }
        var result = members
        result.reserveCapacity(members.count + 4)
        result["resultType"] = .string(resultType)
        if let caching, self.revision.supports(.cachingHints) {
            result["ttlMs"] = .integer(caching.milliseconds)
            result["cacheScope"] = .string(caching.scope.rawValue)
        }
        var meta = result["_meta"]?.objectValue ?? [:]
        meta[MetaKey.serverInfo] = serverInfo
        result["_meta"] = .object(meta)
        return result
    }

    /// The result of `initialize`.
    public func initializeResult(server: Implementation, capabilities: JSONObject, instructions: String?) -> JSONObject
    {
        var result: JSONObject = [
            "protocolVersion": .string(self.revision.name),
            "capabilities": .object(capabilities),
            "serverInfo": .object(self.json(server)),
        ]
        if let instructions {
            result["instructions"] = .string(instructions)
        }
        return result
    }

    /// A tool in `tools/list`.
    public func json(_ tool: ToolDefinition) -> JSONObject {
        var object: JSONObject = ["name": .string(tool.name)]
        if let title = tool.title, self.revision.supports(.titles) {
            object["title"] = .string(title)
        }
        object["description"] = .string(tool.description)
        object["inputSchema"] = .object(tool.inputSchema)
        if let outputSchema = tool.outputSchema, self.revision.supports(.structuredContent) {
            object["outputSchema"] = .object(outputSchema)
        }
        if self.revision.supports(.toolAnnotations) {
            var annotations: JSONObject = [
                "readOnlyHint": .bool(tool.annotations.readOnlyHint),
                "destructiveHint": .bool(tool.annotations.destructiveHint),
                "idempotentHint": .bool(tool.annotations.idempotentHint),
                "openWorldHint": .bool(tool.annotations.openWorldHint),
            ]
            if let title = tool.title {
                annotations["title"] = .string(title)
            }
            object["annotations"] = .object(annotations)
        }
        if tool.taskSupport != .forbidden, self.revision.supports(.coreTasks) {
            object["execution"] = ["taskSupport": .string(tool.taskSupport.rawValue)]
        }
        self.add(icons: tool.icons, meta: tool.meta, to: &object)
        return object
    }

    /// The members of the result of `tools/call`.
    public func json(_ result: CallToolResult) -> JSONObject {
        var object: JSONObject = ["content": .array(result.content.map { .object(self.json($0)) })]
        if let structured = result.structuredContent, self.revision.supports(.structuredContent),
            structured.objectValue != nil || self.revision.supports(.anyStructuredContent)
        {
            object["structuredContent"] = structured
        }
        if result.isError {
            object["isError"] = true
        }
        if result.meta.isEmpty == false {
            object["_meta"] = .object(result.meta)
        }
        return object
    }

    /// A content block, or its nearest relative that the revision knows.
    public func json(_ block: ContentBlock) -> JSONObject {
        switch block {
        case .text(let text):
            return ["type": "text", "text": .string(text)]
        case .image(let data, let mimeType):
            return ["type": "image", "data": .string(data), "mimeType": .string(mimeType)]
        case .audio(let data, let mimeType):
            guard self.revision.supports(.audioContent) else {
                return [
                    "type": "text", "text": .string("[audio, \(mimeType): this client's protocol revision has none]"),
                ]
            }
            return ["type": "audio", "data": .string(data), "mimeType": .string(mimeType)]
        case .resource(let resource):
            return ["type": "resource", "resource": .object(self.json(resource))]
        case .resourceLink(let uri, let name, let mimeType):
            guard self.revision.supports(.resourceLinks) else {
                return ["type": "text", "text": .string("\(name): \(uri)")]
            }
            var link: JSONObject = ["type": "resource_link", "uri": .string(uri), "name": .string(name)]
            if let mimeType {
                link["mimeType"] = .string(mimeType)
            }
            return link
        case .annotated(let block, let annotations):
            var object = self.json(block)
            object["annotations"] = .object(annotations.json(for: self.revision))
            return object
        }
    }

    /// The contents of a resource, embedded or as `resources/read` answers.
    public func json(_ resource: EmbeddedResource) -> JSONObject {
        var object: JSONObject = ["uri": .string(resource.uri)]
        if let mimeType = resource.mimeType { object["mimeType"] = .string(mimeType) }
        switch resource.contents {
        case .text(let text): object["text"] = .string(text)
        case .blob(let data): object["blob"] = .string(data)
        }
        if resource.meta.isEmpty == false { object["_meta"] = .object(resource.meta) }
        return object
    }

    /// A log message for the client.
    ///
    /// Specification: 2025-11-25, server/utilities/logging.
    public func logMessage(_ level: LoggingLevel, _ data: JSONValue, logger: String?) -> JSONRPCNotification {
        var params: JSONObject = ["level": .string(level.rawValue)]
        if let logger { params["logger"] = .string(logger) }
        params["data"] = data
        return JSONRPCNotification(method: "notifications/message", params: params)
    }

    /// A progress notification.
    ///
    /// Specification: 2026-07-28, basic/patterns/progress.
    public func progress(
        _ progress: Double,
        total: Double?,
        message: String?,
        token: ProgressToken
    ) -> JSONRPCNotification {
        var params: JSONObject = ["progressToken": token.json, "progress": .number(progress)]
        if let total {
            params["total"] = .number(total)
        }
        if let message, self.revision.supports(.progressMessage) {
            params["message"] = .string(message)
        }
        return JSONRPCNotification(method: "notifications/progress", params: params)
    }
}

extension JSONValue {
    /// A number, written as an integer when it is one.
    fileprivate static func number(_ value: Double) -> JSONValue {
        Int(exactly: value).map(JSONValue.integer) ?? .double(value)
    }
}
