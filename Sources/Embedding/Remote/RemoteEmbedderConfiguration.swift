public import Knowledge

/// Where an embedding service is, and what it offers.
///
/// The service speaks the interface of OpenAI: `POST …/embeddings` with `model` and `input`.
public struct RemoteEmbedderConfiguration: Sendable {
    /// The address up to and including the version, without a slash at its end: `https://api.openai.com/v1`.
    public let baseURL: String
    /// The model's name, as the service knows it, and what it promises.
    public let model: EmbeddingModel
    /// It goes into the Authorization header and nowhere else.
    let apiKey: String?
    /// The most texts of one request.
    public var maximumTextsPerRequest = 96
    /// The most bytes of text of one request; a longer text goes alone.
    public var maximumBytesPerRequest = 256 << 10
    /// How many requests of one call are under way at a time.
    public var maximumConcurrentRequests = 4
    /// How long a call for the index may take, with all its tries.
    public var indexTimeout = Duration.seconds(120)
    /// How long a query may wait for its vector.
    public var queryTimeout = Duration.seconds(10)

    /// - Returns: Nothing if the address is neither `https` nor on this machine though there is a key, which would travel
    ///   in the clear, if it isn't an address at all, or if the key can't be one.
    public init?(baseURL: String, model: EmbeddingModel, apiKey: String?) {
        var baseURL = baseURL
        while baseURL.hasSuffix("/") { baseURL.removeLast() }
        let isLocal = ["http://127.0.0.1", "http://localhost", "http://[::1]"].contains { prefix in
            guard baseURL.hasPrefix(prefix) else { return false }
            let rest = baseURL.dropFirst(prefix.count)
            return rest.isEmpty || rest.first == ":" || rest.first == "/"
        }
        let isEncrypted = baseURL.hasPrefix("https://") && baseURL.count > 8
        let isPlain = baseURL.hasPrefix("http://") && baseURL.count > 7
        guard isLocal || isEncrypted || (isPlain && apiKey == nil), !baseURL.contains("@"),
            apiKey?.utf8.allSatisfy({ (0x21...0x7e).contains($0) }) != false, model.dimension > 0,
            model.maximumTokens > 0
        else { return nil }
        self.baseURL = baseURL
        self.model = model
        self.apiKey = apiKey
    }
}

/// It holds a key, which must not get into a log when something that holds it is printed.
extension RemoteEmbedderConfiguration: CustomStringConvertible, CustomReflectable {
    public var description: String { "RemoteEmbedderConfiguration" }
    public var customMirror: Mirror { Mirror(self, children: []) }
}
