public import JSON

/// Something that a server asks of the client while it works: an `elicitation/create`, `sampling/createMessage` or
/// `roots/list` request.
///
/// Specification: 2026-07-28, basic/patterns/mrtr; client/elicitation, client/sampling, client/roots.
public enum InputRequest: Sendable {
    /// A form for the user.
    ///
    /// The schema is a flat object: strings, numbers, booleans, choices. Secrets are not asked for in forms.
    case form(message: String, schema: JSONObject)
    /// A web page for the user, for what must not pass through the client: passwords, consent.
    case url(message: String, url: String)
    /// A question to the client's language model.
    case sampling(SamplingRequest)
    /// Which directories the client works on.
    case roots

    /// The method under which it goes over the wire.
    public var method: String {
        switch self {
        case .form, .url: "elicitation/create"
        case .sampling: "sampling/createMessage"
        case .roots: "roots/list"
        }
    }

    /// Whether a client can be asked this.
    public func isSupported(by client: ClientCapabilities, in revision: ProtocolRevision) -> Bool {
        switch self {
        case .form: client.formElicitation && revision.supports(.elicitation)
        case .url: client.urlElicitation && revision.supports(.urlElicitation)
        case .sampling(let request):
            client.sampling && (request.tools.isEmpty || (client.samplingTools && revision.supports(.samplingTools)))
        case .roots: client.roots
        }
    }

    /// What a client has to declare to be asked this, as `ClientCapabilities`.
    public var requiredCapabilities: JSONObject {
        switch self {
        case .form: ["elicitation": [:]]
        case .url: ["elicitation": ["url": [:]]]
        case .sampling(let request): ["sampling": request.tools.isEmpty ? [:] : ["tools": [:]]]
        case .roots: ["roots": [:]]
        }
    }
}

/// A question to the client's language model.
///
/// Specification: 2025-11-25, client/sampling. Deprecated since 2026-07-28, and still served.
public struct SamplingRequest: Sendable {
    /// The conversation so far.
    public var messages: [PromptMessage]
    /// How long the answer may be.
    public var maxTokens: Int
    /// What the model is told beforehand; the client may leave it out.
    public var systemPrompt: String?
    /// How much chance there is in the answer.
    public var temperature: Double?
    /// Texts that end the answer.
    public var stopSequences: [String]
    /// `ModelPreferences`, as the specification has them.
    public var modelPreferences: JSONObject
    /// Tools that the model may call, as `tools/list` shows them; the answer then holds `tool_use` blocks.
    public var tools: [JSONObject]
    /// `ToolChoice`, as the specification has it.
    public var toolChoice: JSONObject?

    public init(
        _ messages: [PromptMessage],
        maxTokens: Int,
        systemPrompt: String? = nil,
        temperature: Double? = nil,
        stopSequences: [String] = [],
        modelPreferences: JSONObject = [:],
        tools: [JSONObject] = [],
        toolChoice: JSONObject? = nil
    ) {
        self.messages = messages
        self.maxTokens = maxTokens
        self.systemPrompt = systemPrompt
        self.temperature = temperature
        self.stopSequences = stopSequences
        self.modelPreferences = modelPreferences
        self.tools = tools
        self.toolChoice = toolChoice
    }
}

extension Codec {
    /// The parameters of an input request.
    ///
    /// - Parameters:
    ///   - request: What is asked.
    ///   - elicitationID: The id of a URL elicitation, which 2025-11-25 wants and later revisions don't have.
    /// - Returns: `params`.
    public func params(of request: InputRequest, elicitationID: String? = nil) -> JSONObject {
        switch request {
        case .form(let message, let schema):
            var params: JSONObject = [:]
            if self.revision.supports(.urlElicitation) { params["mode"] = "form" }
            params["message"] = .string(message)
            params["requestedSchema"] = .object(schema)
            return params
        case .url(let message, let url):
            var params: JSONObject = ["mode": "url", "message": .string(message), "url": .string(url)]
            if let elicitationID, self.revision.supports(.multiRoundTrip) == false {
                params["elicitationId"] = .string(elicitationID)
            }
            return params
        case .sampling(let request):
            return self.params(of: request)
        case .roots:
            return [:]
        }
    }

    private func params(of request: SamplingRequest) -> JSONObject {
        var params: JSONObject = [
            "messages": .array(request.messages.map(self.json)), "maxTokens": .integer(request.maxTokens),
        ]
        if let systemPrompt = request.systemPrompt { params["systemPrompt"] = .string(systemPrompt) }
        if let temperature = request.temperature { params["temperature"] = .double(temperature) }
        if request.stopSequences.isEmpty == false {
            params["stopSequences"] = .array(request.stopSequences.map(JSONValue.string))
        }
        if request.modelPreferences.isEmpty == false {
            params["modelPreferences"] = .object(request.modelPreferences)
        }
        if request.tools.isEmpty == false { params["tools"] = .array(request.tools.map(JSONValue.object)) }
        if let toolChoice = request.toolChoice { params["toolChoice"] = .object(toolChoice) }
        return params
    }
}
