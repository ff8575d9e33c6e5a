import Synchronization
import Upstream

/// Answers requests by a function, and remembers them.
final class ScriptedUpstream: HTTPUpstream {
    private let answer: @Sendable (UpstreamRequest, _ number: Int) throws -> UpstreamResponse
    private let seen = Mutex<[UpstreamRequest]>([])

    init(_ answer: @escaping @Sendable (UpstreamRequest, _ number: Int) throws -> UpstreamResponse) {
        self.answer = answer
    }

    var requests: [UpstreamRequest] { self.seen.withLock { $0 } }

    func send(_ request: UpstreamRequest) async throws -> UpstreamResponse {
        let number = self.seen.withLock { seen in
            seen.append(request)
            return seen.count
        }
        return try self.answer(request, number)
    }
}

extension UpstreamRequest {
    func header(_ name: String) -> String? { self.headers.first { $0.name.lowercased() == name.lowercased() }?.value }
    var text: String { String(decoding: self.body ?? [], as: UTF8.self) }
}

extension UpstreamResponse {
    init(_ status: Int, _ text: String) { self.init(status: status, body: Array(text.utf8)) }
}
