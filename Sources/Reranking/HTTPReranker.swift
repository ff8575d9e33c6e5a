import JSON
public import Knowledge
public import Upstream

/// A re-ranking model behind an HTTP endpoint.
///
/// Two forms of the same call are in use: `{model, query, documents, top_n}` with an answer of `{results: [{index,
/// relevance_score}]}` (Cohere's, which Jina, vLLM and LiteLLM speak too), and `{model, query, texts}` with an answer of
/// `[{index, score}]` (Text Embeddings Inference's, which several servers of OpenAI-compatible APIs have beside theirs).
/// Both answers are understood whichever was asked.
public struct HTTPReranker: Reranker {
    /// How the endpoint is spoken to.
    public enum Style: String, Sendable, CaseIterable {
        /// `documents` in, `results` with `relevance_score` out.
        case cohere
        /// The same, under the names that OpenAI-compatible servers use.
        case openai
        /// `texts` in, a bare list with `score` out.
        case tei
    }

    /// Where the model is, and how much time and text one call may take.
    public struct Configuration: Sendable {
        /// The whole address, for example `https://api.example.com/v2/rerank`.
        public var url: String
        public var model: String
        /// Sent as a bearer token, if there is one.
        public var apiKey: String?
        public var style: Style
        /// How long one call may take; the query goes on without it afterwards.
        public var timeout: Duration = .seconds(3)
        /// The most characters of a passage that are sent.
        public var maximumPassageLength = 8_000
        /// The largest answer that is read.
        public var maximumBodyBytes = 1 << 20

        /// Creates a configuration.
        public init(url: String, model: String, apiKey: String? = nil, style: Style = .cohere) {
            self.url = url
            self.model = model
            self.apiKey = apiKey
            self.style = style
        }
    }

    public var name: String { self.configuration.model }

    private let configuration: Configuration
    private let upstream: any HTTPUpstream

    /// Creates a model.
    ///
    /// - Parameters:
    ///   - configuration: Where it is.
    ///   - upstream: What sends requests.
    ///   - credential: A key that may change while the process runs; that of the configuration doesn't.
    public init(configuration: Configuration, upstream: any HTTPUpstream, credential: Credential? = nil) {
        self.configuration = configuration
        self.upstream = upstream.authorizing(with: credential ?? configuration.apiKey.map { Credential($0) })
    }

    /// Asks the endpoint once; a failure isn't repeated, because the search has an order without it.
    ///
    /// - Throws: ``RerankError``, `UpstreamError`, or `CancellationError`.
    public func scores(query: String, passages: [String]) async throws -> [Double] {
        guard !passages.isEmpty else { return [] }
        let headers = [("Content-Type", "application/json"), ("Accept", "application/json")]
        let request = UpstreamRequest(
            method: "POST",
            url: self.configuration.url,
            headers: headers.map { (name: $0.0, value: $0.1) },
            body: self.body(query: query, passages: passages).serialized(),
            deadline: .now + self.configuration.timeout,
            maximumBodyBytes: self.configuration.maximumBodyBytes
        )
        let response = try await self.upstream.send(request)
        guard response.status == 200 else { throw RerankError(message: "The endpoint answered \(response.status).") }
        guard let json = response.json else { throw RerankError(message: "The endpoint didn't answer with JSON.") }
        return try Self.scores(in: json, count: passages.count)
    }

    private func body(query: String, passages: [String]) -> JSONValue {
        let texts = passages.map { JSONValue.string(String($0.prefix(self.configuration.maximumPassageLength))) }
        var body: JSONObject = ["model": .string(self.configuration.model), "query": .string(query)]
        switch self.configuration.style {
        case .cohere, .openai:
            body["documents"] = .array(texts)
            body["top_n"] = .integer(texts.count)
        case .tei:
            body["texts"] = .array(texts)
        }
        return .object(body)
    }

    private static func scores(in json: JSONValue, count: Int) throws(RerankError) -> [Double] {
        guard let list = json.arrayValue ?? json["results"]?.arrayValue ?? json["data"]?.arrayValue else {
            throw RerankError(message: "The endpoint's answer holds no list of results.")
        }
        var scores = [Double?](repeating: nil, count: count)
        for entry in list {
            guard case .integer(let index)? = entry["index"], scores.indices.contains(index),
                let score = (entry["relevance_score"] ?? entry["score"])?.doubleValue, score.isFinite
            else { throw RerankError(message: "The endpoint's answer holds a result without an index and a score.") }
            scores[index] = score
        }
        let found = scores.compactMap(\.self)
        guard found.count == count else {
            throw RerankError(message: "The endpoint scored \(found.count) of \(count) passages.")
        }
        return found
    }
}

/// Why a re-ranking endpoint's answer can't be used.
public struct RerankError: Error, Sendable, CustomStringConvertible {
    /// What is wrong, without the endpoint's own words.
    public var message: String
    public var description: String { self.message }
}

/// It holds a key, which must not get into a log when something that holds it is printed.
extension HTTPReranker.Configuration: CustomStringConvertible, CustomReflectable {
    public var description: String { "HTTPReranker.Configuration" }
    public var customMirror: Mirror { Mirror(self, children: []) }
}
