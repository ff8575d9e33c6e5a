import JSON

/// Name and version of a server or a client.
public struct Implementation: Sendable, Hashable {
    public var name: String
    public var version: String
    /// A name for people.
    public var title: String?
    public var websiteURL: String?

    public init(name: String, version: String, title: String? = nil, websiteURL: String? = nil) {
        self.name = name
        self.version = version
        self.title = title
        self.websiteURL = websiteURL
    }
}

extension Codec {
    func json(_ implementation: Implementation) -> JSONObject {
        var object: JSONObject = [
            "name": .string(implementation.name), "version": .string(implementation.version),
        ]
        if let title = implementation.title, self.revision.supports(.titles) {
            object["title"] = .string(title)
        }
        if let websiteURL = implementation.websiteURL, self.revision.supports(.icons) {
            object["websiteUrl"] = .string(websiteURL)
        }
        return object
    }
}
