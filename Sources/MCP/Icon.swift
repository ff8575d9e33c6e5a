import JSON

/// A picture for a tool, a prompt, a resource or the server itself.
///
/// Specification: 2025-11-25 and later, basic/index, "Icons".
public struct Icon: Sendable, Hashable {
    /// For which background a picture is made.
    public enum Theme: String, Sendable {
        case light, dark
    }

    /// An `https:` or a `data:` address.
    public var source: String
    public var mimeType: String?
    /// Such as `48x48`, or `any`.
    public var sizes: [String]
    public var theme: Theme?

    public init(source: String, mimeType: String? = nil, sizes: [String] = [], theme: Theme? = nil) {
        self.source = source
        self.mimeType = mimeType
        self.sizes = sizes
        self.theme = theme
    }

    var json: JSONValue {
        var object: JSONObject = ["src": .string(self.source)]
        if let mimeType { object["mimeType"] = .string(mimeType) }
        if self.sizes.isEmpty == false { object["sizes"] = .array(self.sizes.map(JSONValue.string)) }
        if let theme { object["theme"] = .string(theme.rawValue) }
        return .object(object)
    }
}

/// For whom something is, and how important.
///
/// Specification: 2026-07-28, server/resources, "Annotations".
public struct Annotations: Sendable, Hashable {
    /// Who speaks, or is spoken to.
    public enum Role: String, Sendable {
        case user, assistant
    }

    public var audience: [Role]
    /// From 0 (optional) to 1 (required).
    public var priority: Double?
    /// ISO 8601.
    public var lastModified: String?

    public init(audience: [Role] = [], priority: Double? = nil, lastModified: String? = nil) {
        self.audience = audience
        self.priority = priority
        self.lastModified = lastModified
    }

    func json(for revision: ProtocolRevision) -> JSONObject {
        var object: JSONObject = [:]
        if self.audience.isEmpty == false {
            object["audience"] = .array(self.audience.map { .string($0.rawValue) })
        }
        if let priority { object["priority"] = .double(priority) }
        // Before 2025-06-18 there was none.
        if let lastModified, revision.supports(.titles) { object["lastModified"] = .string(lastModified) }
        return object
    }
}
