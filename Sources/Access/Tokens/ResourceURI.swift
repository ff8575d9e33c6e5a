/// The canonical form of the address of a protected resource (RFC 8707, section 2; MCP, "Canonical Server URI").
public enum ResourceURI {
    /// The same address with scheme and host in lower case and without a slash at the end; anything that is no address
    /// stays as it is.
    public static func canonical(_ text: String) -> String {
        guard let mark = text.firstRange(of: "://") else { return text }
        let path = text[mark.upperBound...].firstIndex { $0 == "/" || $0 == "?" || $0 == "#" } ?? text.endIndex
        var canonical = text[..<path].lowercased() + text[path...]
        while canonical.hasSuffix("/"), canonical.hasSuffix("://") == false { canonical.removeLast() }
        return canonical
    }
}

extension String {
    /// Whether it is ASCII, so that equal strings have equal bytes.
    var isASCII: Bool { self.utf8.allSatisfy { $0 < 0x80 } }
}
