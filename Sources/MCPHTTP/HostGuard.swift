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

    /// What is added to a refusal: where whoever runs the server finds the lists.
    private let hostsHint: String
    private let originsHint: String

    /// - Parameters:
    ///   - hosts: The names under which the server may be addressed, without port, beside the loopback names.
    ///   - origins: Origins of web pages that may ask, beside those on the hosts above.
    ///   - hostsSetting: What the list of hosts is called where the server is set up, for the message of a refusal.
    ///   - originsSetting: What the list of origins is called there.
    public init(
        hosts: [String] = [],
        origins: [String] = [],
        hostsSetting: String? = nil,
        originsSetting: String? = nil
    ) {
        self.hosts = Set((hosts + Self.loopback).map { $0.lowercased() })
        self.origins = Set(origins.map { $0.lowercased() })
        self.hostsHint = hostsSetting.map { "; \($0) lists those that are" } ?? ""
        self.originsHint = originsSetting.map { "; \($0) lists those that may" } ?? ""
    }

    /// Why a request is refused, if it is.
    public func refusal(of request: Request) -> String? {
        self.refusal(of: request, origin: request.headers[.origin])
    }

    func refusal(of request: Request, origin: String?) -> String? {
        guard let authority = request.head.authority, let host = Self.host(of: authority), self.hosts.contains(host)
        else {
            return "This Host is not served here\(self.hostsHint)."
        }
        guard let origin = origin?.lowercased() else { return nil }
        if self.origins.contains(origin) { return nil }
        for scheme in ["http://", "https://"] where origin.hasPrefix(scheme) {
            if let host = Self.host(of: String(origin.dropFirst(scheme.count))), self.hosts.contains(host) {
                return nil
            }
        }
        return "This Origin may not ask\(self.originsHint)."
    }

    /// The host of `host`, `host:port`, `[v6]` or `[v6]:port`, in lower case.
    static func host(of authority: String) -> String? {
        // Bytes are looked at: nothing beyond ASCII is on the list, and nearly all is in lower case already.
        let isPlain = authority.utf8.allSatisfy { $0 < 0x80 && (0x41...0x5a).contains($0) == false }
        let text = (isPlain ? authority : authority.lowercased()).utf8
        let host: Substring.UTF8View
        let rest: Substring.UTF8View
        if text.first == UInt8(ascii: "[") {
            guard let end = text.firstIndex(of: UInt8(ascii: "]")) else { return nil }
            host = text[text.index(after: text.startIndex)..<end]
            rest = text[text.index(after: end)...]
            // Only IPv6 addresses stand in brackets.
            guard host.contains(UInt8(ascii: ":")) else { return nil }
        } else {
            let end = text.firstIndex(of: UInt8(ascii: ":")) ?? text.endIndex
            host = text[..<end]
            rest = text[end...]
        }
        guard host.isEmpty == false else { return nil }
        if rest.isEmpty { return String(host) }
        // UInt16 would read a sign, too.
        let port = rest.dropFirst()
        guard rest.first == UInt8(ascii: ":"), port.allSatisfy({ (0x30...0x39).contains($0) }),
            UInt16(Substring(port)) != nil
        else { return nil }
        return String(host)
    }
}
