public import JSON

/// What a request says about itself in `params._meta`.
public struct RequestMeta: Sendable {
    /// The revision that the request speaks; only requests of 2026-07-28 and later say so.
    public var protocolVersion: String?
    /// What the client can do; only requests of 2026-07-28 and later say so.
    public var clientCapabilities: JSONObject?
    /// Who the client says it is.
    ///
    /// Nothing may depend on it.
    public var clientInfo: JSONObject?
    /// The least level of the log messages that the client wants; only requests of 2026-07-28 and later say so.
    public var logLevel: JSONValue?
    /// The token under which the client wants to hear of progress.
    public var progressToken: ProgressToken?
    /// The W3C trace context of the caller.
    public var traceparent: String?

    /// Reads the envelope of a request, as far as it is there.
    public init(params: JSONObject) {
        guard let meta = params["_meta"]?.objectValue else { return }
        self.protocolVersion = meta[MetaKey.protocolVersion]?.stringValue
        self.clientCapabilities = meta[MetaKey.clientCapabilities]?.objectValue
        self.clientInfo = meta[MetaKey.clientInfo]?.objectValue
        self.logLevel = meta[MetaKey.logLevel]
        self.progressToken = meta[MetaKey.progressToken].flatMap(ProgressToken.init)
        self.traceparent = meta[MetaKey.traceparent]?.stringValue
    }

    /// Whether a message belongs to the era of 2026-07-28: then its `_meta` holds one of the envelope's keys.
    public static func isModern(params: JSONObject) -> Bool {
        guard let meta = params["_meta"]?.objectValue else { return false }
        return meta[MetaKey.protocolVersion] != nil || meta[MetaKey.clientCapabilities] != nil
    }
}
