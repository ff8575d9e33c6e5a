/// Requests that come rarely: each opens a connection of its own and closes it, so that there is nothing to close at the
/// end.
public struct TransientUpstream: HTTPUpstream {
    public init() {}

    public func send(_ request: UpstreamRequest) async throws -> UpstreamResponse {
        let upstream = AsyncHTTPUpstream()
        let outcome: Result<UpstreamResponse, any Error>
        do {
            outcome = .success(try await upstream.send(request))
        } catch {
            outcome = .failure(error)
        }
        try? await upstream.shutdown()
        return try outcome.get()
    }
}
