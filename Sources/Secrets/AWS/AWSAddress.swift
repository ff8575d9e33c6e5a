import Foundation

/// Addresses to which requests with credentials or for secrets may go.
enum AWSAddress {
    private static let loopback = ["127.0.0.1", "localhost", "[::1]", "::1"]

    /// Whether nobody on the way can read along: https, or http to this machine or one of some other hosts.
    static func isSafe(_ text: String, andAlso hosts: [String] = []) -> Bool {
        guard let parts = URLComponents(string: text), let host = parts.host, host.isEmpty == false, parts.user == nil
        else { return false }
        switch parts.scheme?.lowercased() {
        case "https": return true
        case "http": return (Self.loopback + hosts).contains { $0 == host || $0 == "[\(host)]" }
        default: return false
        }
    }

    /// The host of an address with its port, as the `Host` header has it.
    static func host(_ text: String) -> String? {
        guard let parts = URLComponents(string: text), let host = parts.host else { return nil }
        return parts.port.map { "\(host):\($0)" } ?? host
    }
}
