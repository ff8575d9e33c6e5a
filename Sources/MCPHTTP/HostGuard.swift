public import Hummingbird

/// Keeps web pages that a user happens to visit from talking to a server on the user's machine (DNS rebinding).
///
/// The `Host` of every request, and its `Origin` if it has one, must be on the list.
///
/// Specification: 2026-07-28, basic/transports/streamable-http, "Security Warning".
public struct HostGuard: Sendable {
    /// Hosts without port, in lower case; IPv6 addresses without brackets.
    private let hosts: Set<String>
    /// Whole origins, such as `https://console.example.com`.
    private let origins: Set<String>

    /// The names of this machine for itself.
    public static let loopback = ["localhost", "127.0.0.1", "::1"]

    /// - Parameters:
    ///   - hosts: The names under which the server may be addressed, without port, beside the loopback names.
    ///   - origins: Origins of web pages that may ask, beside those on the hosts above.
    public init(hosts: [String] = [], origins: [String] = []) {
        self.hosts = Set((hosts + Self.loopback).map { $0.lowercased() })
        self.origins = Set(origins.map { $0.lowercased() })
    }

    /// Why a request is refused, if it is.
    public func refusal(of request: Request) -> String? {
        guard let authority = request.head.authority, let host = Self.host(of: authority), self.hosts.contains(host)
        else {
            return "This Host is not served here; GANTRY_ALLOWED_HOSTS lists those that are."
        }
        guard let origin = request.headers[.origin]?.lowercased() else { return nil }
        if self.origins.contains(origin) { return nil }
        for scheme in ["http://", "https://"] where origin.hasPrefix(scheme) {
            if let host = Self.host(of: String(origin.dropFirst(scheme.count))), self.hosts.contains(host) {
                return nil
            }
        }
        return "This Origin may not ask; CORS_ORIGINS lists those that may."
    }

    /// The host of `host`, `host:port`, `[v6]` or `[v6]:port`, in lower case.
    static func host(of authority: String) -> String? {
        let text = authority.lowercased()
        let host: Substring
        let rest: Substring
        if text.hasPrefix("[") {
            guard let end = text.firstIndex(of: "]") else { return nil }
            host = text[text.index(after: text.startIndex)..<end]
            rest = text[text.index(after: end)...]
            // Only IPv6 addresses stand in brackets.
            guard host.contains(":") else { return nil }
        } else {
            let end = text.firstIndex(of: ":") ?? text.endIndex
            host = text[..<end]
            rest = text[end...]
        }
        guard host.isEmpty == false else { return nil }
        if rest.isEmpty { return String(host) }
        // UInt16 would read a sign, too.
        let port = rest.dropFirst()
        guard rest.first == ":", port.utf8.allSatisfy({ (0x30...0x39).contains($0) }), UInt16(port) != nil else {
            return nil
        }
        return String(host)
    }
}
