public import JSON

/// Name and version of a server or a client.
public struct Implementation: Sendable, Hashable {
    public var name: String
    public var version: String
    /// A name for people.
    public var title: String?
    public var description: String?
    public var websiteURL: String?
    public var icons: [Icon]

    public init(
        name: String,
        version: String,
        title: String? = nil,
        description: String? = nil,
        websiteURL: String? = nil,
        icons: [Icon] = []
    ) {
        self.name = name
        self.version = version
        self.title = title
        self.description = description
        self.websiteURL = websiteURL
        self.icons = icons
    }
}

extension Codec {
    /// Name and version, as a revision shows them.
    public func json(_ implementation: Implementation) -> JSONObject {
        var object: JSONObject = [
            "name": .string(implementation.name), "version": .string(implementation.version),
        ]
        if let title = implementation.title, self.revision.supports(.titles) {
            object["title"] = .string(title)
        }
        guard self.revision.supports(.icons) else { return object }
        if let description = implementation.description { object["description"] = .string(description) }
        if let websiteURL = implementation.websiteURL { object["websiteUrl"] = .string(websiteURL) }
        self.add(icons: implementation.icons, meta: [:], to: &object)
        return object
    }
}
