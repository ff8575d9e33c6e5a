import AsyncHTTPClient
import NIOCore
import NIOHTTP1

/// Requests over AsyncHTTPClient.
///
/// Redirects are not followed: credentials go to the host that they are for.
public struct AsyncHTTPUpstream: HTTPUpstream {
    private let client: HTTPClient

    public init() {
        var configuration = HTTPClient.Configuration(redirectConfiguration: .disallow)
        configuration.timeout.connect = .seconds(5)
        configuration.connectionPool.idleTimeout = .seconds(60)
        self.client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }

    /// Closes all connections.
    ///
    /// Nothing can be sent afterwards.
    public func shutdown() async throws {
        try await self.client.shutdown()
    }

    public func send(_ request: UpstreamRequest) async throws -> UpstreamResponse {
        // The client would refuse these too, with an error that holds the values.
        if let header = request.headers.first(where: { Self.isBroken($0.value) }) {
            throw UpstreamError(.invalidRequest, "The header \(header.name) holds a control character.")
        }
        guard request.deadline > .now else { throw Self.timedOut }
        do {
            // The client's own deadline ends with the headers of the answer; this one is for all of it.
            return try await withThrowingTaskGroup(of: UpstreamResponse?.self) { group in
                defer { group.cancelAll() }
                group.addTask { try await self.exchange(request) }
                group.addTask {
                    try await Task.sleep(until: request.deadline, clock: .continuous)
                    return nil
                }
                guard let response = try await group.next() ?? nil else { throw Self.timedOut }
                return response
            }
        } catch {
            throw Task.isCancelled ? CancellationError() : Self.upstreamError(error, request)
        }
    }

    /// RFC 9110, section 5.5: a tab is the only control character in the value of a header.
    private static func isBroken(_ value: String) -> Bool {
        value.utf8.contains { ($0 < 0x20 && $0 != 0x09) || $0 == 0x7f }
    }

    private func exchange(_ request: UpstreamRequest) async throws -> UpstreamResponse {
        var call = HTTPClientRequest(url: request.url)
        call.method = HTTPMethod(rawValue: request.method)
        for (name, value) in request.headers {
            call.headers.add(name: name, value: value)
        }
        if let body = request.body {
            call.body = .bytes(body)
        }
        let response = try await self.client.execute(call, deadline: .now() + TimeAmount(request.deadline - .now))
        let body = try await response.body.collect(upTo: request.maximumBodyBytes)
        // A body that is cut off by cancellation may look like one that has ended.
        try Task.checkCancellation()
        return UpstreamResponse(
            status: Int(response.status.code),
            headers: response.headers.map { ($0.name, $0.value) },
            body: Array(buffer: body)
        )
    }

    private static func upstreamError(_ error: any Error, _ request: UpstreamRequest) -> UpstreamError {
        if let error = error as? UpstreamError { return error }
        if error is NIOTooManyBytesError {
            return UpstreamError(.bodyTooLarge, "The answer is larger than \(request.maximumBodyBytes) bytes.")
        }
        switch error as? HTTPClientError {
        case .deadlineExceeded, .connectTimeout, .readTimeout:
            return Self.timedOut
        case .invalidURL, .emptyHost, .emptyScheme:
            return UpstreamError(.invalidRequest, "The address is not one that can be asked.", cause: error)
        default:
            return UpstreamError(.connectionFailed, "The connection failed.", cause: error)
        }
    }

    private static var timedOut: UpstreamError {
        UpstreamError(.timedOut, "There was no answer in time.")
    }
}
