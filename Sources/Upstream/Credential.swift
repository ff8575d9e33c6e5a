/// A text that proves who asks, and that may be another one tomorrow.
///
/// It shows itself nowhere: not in logs, and not in the descriptions of what holds it.
public struct Credential: Sendable, CustomStringConvertible, CustomReflectable {
    private let current: @Sendable (_ refused: String?) async throws -> String

    /// A credential that doesn't change.
    public init(_ text: String) {
        self.current = { _ in text }
    }

    /// A credential that is looked up whenever it is used.
    ///
    /// - Parameter current: Gives what counts now. It is told the value that was just refused, if one was, so that it can
    ///   look for a newer one.
    public init(_ current: @escaping @Sendable (_ refused: String?) async throws -> String) {
        self.current = current
    }

    /// What counts now.
    ///
    /// - Parameter refused: The value that was just refused.
    /// - Returns: The text.
    /// - Throws: ``UpstreamError`` with `credentialUnavailable` if it can't be had.
    public func value(refused: String? = nil) async throws -> String {
        do {
            return try await self.current(refused)
        } catch is CancellationError {
            throw CancellationError()
        } catch {
            throw UpstreamError(.credentialUnavailable, "The credential can't be had: \(error)", cause: error)
        }
    }

    public var description: String { "(hidden)" }
    public var customMirror: Mirror { Mirror(self, children: []) }
}

/// Sends requests with a credential in their `Authorization`, and once more with a newer one if it is refused.
public struct AuthorizingUpstream: HTTPUpstream {
    private let upstream: any HTTPUpstream
    private let credential: Credential
    private let isRefusal: @Sendable (UpstreamResponse) -> Bool
    private let authorization: @Sendable (String) -> String

    /// - Parameters:
    ///   - upstream: What sends the requests.
    ///   - credential: What they are sent with.
    ///   - isRefusal: Whether an answer says that the credential isn't accepted. Nothing has been done then, so the request
    ///     may be sent again.
    ///   - authorization: Makes the value of the header.
    public init(
        _ upstream: any HTTPUpstream,
        credential: Credential,
        isRefusal: @escaping @Sendable (UpstreamResponse) -> Bool = { $0.status == 401 },
        authorization: @escaping @Sendable (String) -> String
    ) {
        self.upstream = upstream
        self.credential = credential
        self.isRefusal = isRefusal
        self.authorization = authorization
    }

    public func send(_ request: UpstreamRequest) async throws -> UpstreamResponse {
        let secret = try await self.credential.value()
        let response = try await self.upstream.send(self.authorized(request, secret))
        guard self.isRefusal(response), let newer = try? await self.credential.value(refused: secret), newer != secret
        else { return response }
        return try await self.upstream.send(self.authorized(request, newer))
    }

    private func authorized(_ request: UpstreamRequest, _ secret: String) -> UpstreamRequest {
        var request = request
        request.headers.append((name: "Authorization", value: self.authorization(secret)))
        return request
    }
}

extension HTTPUpstream {
    /// The same with `Authorization: Bearer` in every request, if there is a credential.
    public func authorizing(with credential: Credential?) -> any HTTPUpstream {
        guard let credential else { return self }
        return AuthorizingUpstream(self, credential: credential) { "Bearer \($0)" }
    }
}
