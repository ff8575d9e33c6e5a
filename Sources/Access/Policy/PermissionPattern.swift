public import MCPServer

/// Permissions as policies and scopes name them: `jira:read`, `jira:*`, `*:read`, or `*` for all.
public struct PermissionPattern: Sendable, Hashable, CustomStringConvertible {
    private let family: String?
    private let action: String?

    /// - Returns: Nothing if the text is none of the four forms.
    public init?(_ text: String) {
        if text == "*" {
            (self.family, self.action) = (nil, nil)
            return
        }
        let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2, parts.allSatisfy({ $0 == "*" || Self.isWord($0) }) else { return nil }
        self.family = parts[0] == "*" ? nil : parts[0]
        self.action = parts[1] == "*" ? nil : parts[1]
    }

    private static func isWord(_ text: String) -> Bool {
        text.isEmpty == false
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"),
                    UInt8(ascii: "-"):
                    true
                default: false
                }
            }
    }

    /// Whether it names a permission.
    public func matches(_ permission: Permission) -> Bool {
        let text = permission.rawValue.utf8
        guard let colon = text.firstIndex(of: UInt8(ascii: ":")) else {
            return self.family == nil && self.action == nil
        }
        if let family, text[..<colon].elementsEqual(family.utf8) == false { return false }
        if let action, text[text.index(after: colon)...].elementsEqual(action.utf8) == false { return false }
        return true
    }

    public var description: String {
        if self.family == nil, self.action == nil { return "*" }
        return "\(self.family ?? "*"):\(self.action ?? "*")"
    }
}
