import Foundation

/// An `http` or `https` address without credentials, query or fragment.
struct WebAddress {
    let scheme: String
    let host: String
    /// Whether there is nothing behind the host and the port.
    let isOrigin: Bool

    init?(_ text: String) {
        guard let parts = URLComponents(string: text), let scheme = parts.scheme?.lowercased(),
            scheme == "http" || scheme == "https", let host = parts.host, !host.isEmpty, parts.user == nil,
            parts.password == nil, parts.query == nil, parts.fragment == nil
        else { return nil }
        self.scheme = scheme
        self.host = host
        self.isOrigin = parts.path.isEmpty
    }
}
