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
        var call = HTTPClientRequest(url: request.url)
        call.method = HTTPMethod(rawValue: request.method)
        for (name, value) in request.headers {
            call.headers.add(name: name, value: value)
        }
        if let body = request.body {
            call.body = .bytes(body)
        }
        let left = request.deadline - .now
        guard left > .zero else { throw Self.timedOut }
        do {
            let response = try await self.client.execute(call, deadline: .now() + TimeAmount(left))
            let body = try await response.body.collect(upTo: request.maximumBodyBytes)
            return UpstreamResponse(
                status: Int(response.status.code),
                headers: response.headers.map { ($0.name, $0.value) },
                body: Array(buffer: body)
            )
        } catch is NIOTooManyBytesError {
            throw UpstreamError(.bodyTooLarge, "The answer is larger than \(request.maximumBodyBytes) bytes.")
        } catch let error as HTTPClientError {
            if Task.isCancelled { throw CancellationError() }
            switch error {
            case .deadlineExceeded, .connectTimeout, .readTimeout: throw Self.timedOut
            case .invalidURL, .emptyHost, .emptyScheme:
                throw UpstreamError(.invalidRequest, "The address is not one that can be asked.", cause: error)
            default: throw UpstreamError(.connectionFailed, "The connection failed.", cause: error)
            }
        } catch let error as CancellationError {
            throw error
        } catch {
            throw UpstreamError(.connectionFailed, "The connection failed.", cause: error)
        }
    }

    private static var timedOut: UpstreamError {
        UpstreamError(.timedOut, "There was no answer in time.")
    }
}
