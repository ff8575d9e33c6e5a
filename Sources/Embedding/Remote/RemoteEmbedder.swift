import Foundation
import JSON
public import Knowledge
import Synchronization
public import Upstream

/// An embedding model behind an OpenAI-compatible interface.
///
/// Its tokenizer isn't known here, so tokens are estimated, a little too high for English.
public final class RemoteEmbedder: Embedder {
    public var model: EmbeddingModel { self.configuration.model }

    private let configuration: RemoteEmbedderConfiguration
    private let upstream: any HTTPUpstream
    private let policy: RetryPolicy
    /// Whether vectors are asked for in base64, which is a third of their size in decimals.
    ///
    /// Services that don't know it either ignore it or refuse the request.
    private let asksForBase64 = Atomic(true)

    /// - Parameters:
    ///   - configuration: Where the service is.
    ///   - upstream: What sends the requests.
    ///   - policy: When a request is sent again; that a text is embedded twice does no harm.
    ///   - credential: A key that may change while the process runs; that of the configuration doesn't.
    public init(
        configuration: RemoteEmbedderConfiguration,
        upstream: any HTTPUpstream,
        policy: RetryPolicy = RemoteEmbedder.policy,
        credential: Credential? = nil
    ) {
        self.configuration = configuration
        self.upstream = upstream.authorizing(with: credential ?? configuration.apiKey.map { Credential($0) })
        self.policy = policy
    }

    /// Four tries, the first pause half a second long.
    public static var policy: RetryPolicy {
        var policy = RetryPolicy()
        policy.firstPause = .milliseconds(500)
        policy.statuses = [429, 500, 502, 503, 504, 529]
        return policy
    }

    public func tokenCount(of text: String) -> Int { self.tokenSpans(of: text).count }

    public func tokenSpans(of text: String) -> [Range<Int>] { ApproximateTokenizer.tokenSpans(of: text) }

    /// The vectors of some texts, for an index.
    ///
    /// As ``embed(_:for:)``.
    public func embed(_ texts: [String]) async throws -> [[Float]] {
        try await self.embed(texts, for: .index)
    }

    /// The vectors of some texts, each of length 1.
    ///
    /// - Throws: ``EmbeddingError`` if the service can't be reached, refuses, or answers with something else than
    ///   vectors of the promised dimension; `CancellationError`.
    public func embed(_ texts: [String], for purpose: EmbeddingPurpose) async throws -> [[Float]] {
        let timeout =
            purpose == .query ? self.configuration.queryTimeout : self.configuration.indexTimeout
        let deadline = ContinuousClock.now + timeout
        let texts = texts.map(self.cut)
        let batches = self.batches(of: texts)
        var vectors = [[Float]](repeating: [], count: texts.count)
        try await withThrowingTaskGroup(of: (Range<Int>, [[Float]]).self) { group in
            let atOnce = self.configuration.maximumConcurrentRequests
            for batch in batches.prefix(atOnce) {
                group.addTask { (batch, try await self.request(texts[batch], deadline)) }
            }
            var waiting = batches.dropFirst(atOnce).makeIterator()
            while let (range, answer) = try await group.next() {
                vectors.replaceSubrange(range, with: answer)
                guard let batch = waiting.next() else { continue }
                group.addTask { (batch, try await self.request(texts[batch], deadline)) }
            }
        }
        return vectors
    }

    /// A text without what the model can't read.
    private func cut(_ text: String) -> String {
        let limit = self.model.maximumTokens
        // A token has at least one byte.
        guard text.utf8.count > limit else { return text }
        let spans = self.tokenSpans(of: text)
        guard spans.count > limit else { return text }
        return String(decoding: text.utf8.prefix(spans[limit - 1].upperBound), as: UTF8.self)
    }

    private func batches(of texts: [String]) -> [Range<Int>] {
        var batches: [Range<Int>] = []
        var start = 0
        var bytes = 0
        for (index, text) in texts.enumerated() {
            let isFull =
                index - start == self.configuration.maximumTextsPerRequest
                || bytes + text.utf8.count > self.configuration.maximumBytesPerRequest
            if isFull, index > start {
                batches.append(start..<index)
                start = index
                bytes = 0
            }
            bytes += text.utf8.count
        }
        if start < texts.count { batches.append(start..<texts.count) }
        return batches
    }

    private func request(_ texts: ArraySlice<String>, _ deadline: ContinuousClock.Instant) async throws -> [[Float]] {
        let asksForBase64 = self.asksForBase64.load(ordering: .relaxed)
        let response = try await self.send(texts, base64: asksForBase64, deadline)
        if asksForBase64, response.status == 400 || response.status == 422 {
            // It may be the encoding that the service refuses.
            let plain = try await self.send(texts, base64: false, deadline)
            if plain.status == 200 { self.asksForBase64.store(false, ordering: .relaxed) }
            return try self.vectors(in: plain, count: texts.count)
        }
        return try self.vectors(in: response, count: texts.count)
    }

    private func send(
        _ texts: ArraySlice<String>,
        base64: Bool,
        _ deadline: ContinuousClock.Instant
    ) async throws -> UpstreamResponse {
        var body: JSONObject = [
            "model": .string(self.model.name),
            // The interface refuses empty texts.
            "input": .array(texts.map { .string($0.isEmpty ? " " : $0) }),
        ]
        if base64 { body["encoding_format"] = "base64" }
        let headers = [("Content-Type", "application/json"), ("Accept", "application/json")]
        let request = UpstreamRequest(
            method: "POST",
            url: self.configuration.baseURL + "/embeddings",
            headers: headers,
            body: JSONValue.object(body).serialized(),
            deadline: deadline,
            // A number has at most 25 characters with what separates it from the next.
            maximumBodyBytes: texts.count * (self.model.dimension * 25 + 1024) + (64 << 10)
        )
        do {
            return try await self.policy.send(request, over: self.upstream)
        } catch let error as UpstreamError {
            throw EmbeddingError(
                .unavailable,
                "The embedding service at \(self.configuration.baseURL) can't be used: \(error.message)"
            )
        }
    }

    private func vectors(in response: UpstreamResponse, count: Int) throws -> [[Float]] {
        guard response.status == 200 else { throw self.refusal(response) }
        let limits = JSONLimits(maximumBytes: response.body.count + 1)
        guard let entries = (try? JSONValue(parsing: response.body, limits: limits))?["data"]?.arrayValue,
            entries.count == count
        else { throw self.malformed("\(count) vectors were expected") }
        var vectors = [[Float]](repeating: [], count: count)
        for (position, entry) in entries.enumerated() {
            // Services may answer in another order; those that leave the number out keep it.
            let index = entry["index"] == nil ? position : entry["index"]?.intValue ?? -1
            guard vectors.indices.contains(index), vectors[index].isEmpty else {
                throw self.malformed("the numbers of the vectors aren't those of the texts")
            }
            guard let vector = Self.numbers(in: entry["embedding"]), !vector.isEmpty else {
                throw self.malformed("a vector is neither numbers nor base64")
            }
            guard vector.count == self.model.dimension else {
                throw EmbeddingError(
                    .wrongDimension,
                    "The model \(self.model.name) has vectors of \(vector.count) numbers, not \(self.model.dimension): "
                        + "set EMBEDDINGS_DIMENSION to \(vector.count)."
                )
            }
            vectors[index] = try self.normalised(vector)
        }
        return vectors
    }

    /// The numbers of a vector: an array, or base64 of 32-bit floats in little-endian order.
    private static func numbers(in value: JSONValue?) -> [Float]? {
        if let array = value?.arrayValue {
            let numbers = array.compactMap { $0.doubleValue.map { Float($0) } }
            return numbers.count == array.count ? numbers : nil
        }
        guard let text = value?.stringValue, let data = Data(base64Encoded: text), data.count.isMultiple(of: 4) else {
            return nil
        }
        return data.withUnsafeBytes { bytes in
            stride(from: 0, to: bytes.count, by: 4).map { offset in
                Float(bitPattern: UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self)))
            }
        }
    }

    private func normalised(_ vector: [Float]) throws -> [Float] {
        let length = vector.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
        guard length.isFinite, length > 0 else { throw self.malformed("a vector has no direction") }
        return vector.map { Float(Double($0) / length) }
    }

    private func malformed(_ reason: String) -> EmbeddingError {
        EmbeddingError(
            .malformedAnswer,
            "\(self.configuration.baseURL) doesn't answer as an OpenAI-compatible embedding service: \(reason). "
                + "EMBEDDINGS_URL has to be the address before /embeddings, for example https://api.openai.com/v1."
        )
    }

    private func refusal(_ response: UpstreamResponse) -> EmbeddingError {
        let service = "The embedding service at \(self.configuration.baseURL)"
        switch response.status {
        case 401, 403:
            // What the service says may hold parts of the key.
            return EmbeddingError(.unauthorized, "\(service) refuses the key; check EMBEDDINGS_API_KEY.")
        case 429:
            return EmbeddingError(.rateLimited, "\(service) is asked too much; try again later.")
        case 500...:
            return EmbeddingError(
                .unavailable,
                "\(service) failed with the status \(response.status); try again later."
            )
        default:
            let reason = response.json?["error"]?["message"]?.stringValue ?? ""
            return EmbeddingError(
                .rejected,
                "\(service) refused the request with the status \(response.status)"
                    + (reason.isEmpty ? "" : ": \(reason.prefix(200))") + ". Check EMBEDDINGS_URL and EMBEDDINGS_MODEL."
            )
        }
    }
}
