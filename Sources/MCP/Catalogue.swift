public import JSON

/// What tools, resources, templates and prompts are known by.
public struct Description: Sendable {
    public var name: String
    /// A name for people.
    public var title: String?
    public var description: String?
    public var icons: [Icon]
    public var meta: JSONObject

    public init(
        name: String,
        title: String? = nil,
        description: String? = nil,
        icons: [Icon] = [],
        meta: JSONObject = [:]
    ) {
        self.name = name
        self.title = title
        self.description = description
        self.icons = icons
        self.meta = meta
    }
}

/// A resource as `resources/list` shows it.
///
/// Specification: 2026-07-28, server/resources.
public struct ResourceDefinition: Sendable {
    public var uri: String
    public var described: Description
    public var mimeType: String?
    /// In bytes, before any encoding.
    public var size: Int?
    public var annotations: Annotations?

    public init(uri: String, _ described: Description, mimeType: String?, size: Int?, annotations: Annotations?) {
        self.uri = uri
        self.described = described
        self.mimeType = mimeType
        self.size = size
        self.annotations = annotations
    }
}

/// A family of resources as `resources/templates/list` shows it.
public struct ResourceTemplateDefinition: Sendable {
    /// RFC 6570.
    public var uriTemplate: String
    public var described: Description
    public var mimeType: String?
    public var annotations: Annotations?

    public init(uriTemplate: String, _ described: Description, mimeType: String?, annotations: Annotations?) {
        self.uriTemplate = uriTemplate
        self.described = described
        self.mimeType = mimeType
        self.annotations = annotations
    }
}

/// A prompt as `prompts/list` shows it.
///
/// Specification: 2026-07-28, server/prompts.
public struct PromptDefinition: Sendable {
    /// One thing that a user fills in.
    public struct Argument: Sendable {
        public var name: String
        public var description: String
        public var isRequired: Bool

        public init(name: String, description: String, isRequired: Bool) {
            self.name = name
            self.description = description
            self.isRequired = isRequired
        }
    }

    public var described: Description
    public var arguments: [Argument]

    public init(_ described: Description, arguments: [Argument]) {
        self.described = described
        self.arguments = arguments
    }
}

/// A message of a prompt, or of a conversation with a model.
public struct PromptMessage: Sendable {
    public var role: Annotations.Role
    public var content: ContentBlock

    public init(_ role: Annotations.Role, _ content: ContentBlock) {
        self.role = role
        self.content = content
    }

    /// What the user says.
    public static func user(_ content: ContentBlock) -> Self { Self(.user, content) }
    /// What the user says, as text.
    public static func user(_ text: String) -> Self { Self(.user, .text(text)) }
    /// What the model says.
    public static func assistant(_ content: ContentBlock) -> Self { Self(.assistant, content) }
}

extension Codec {
    /// The members that all listed things share.
    private func json(_ described: Description) -> JSONObject {
        var object: JSONObject = ["name": .string(described.name)]
        if let title = described.title, self.revision.supports(.titles) { object["title"] = .string(title) }
        if let description = described.description { object["description"] = .string(description) }
        self.add(icons: described.icons, meta: described.meta, to: &object)
        return object
    }

    func add(icons: [Icon], meta: JSONObject, to object: inout JSONObject) {
        if icons.isEmpty == false, self.revision.supports(.icons) {
            object["icons"] = .array(icons.map(\.json))
        }
        if meta.isEmpty == false, self.revision.supports(.titles) { object["_meta"] = .object(meta) }
    }

    private func add(_ mimeType: String?, _ annotations: Annotations?, to object: inout JSONObject) {
        if let mimeType { object["mimeType"] = .string(mimeType) }
        if let annotations { object["annotations"] = .object(annotations.json(for: self.revision)) }
    }

    /// A resource in `resources/list`.
    public func json(_ resource: ResourceDefinition) -> JSONObject {
        var object: JSONObject = ["uri": .string(resource.uri)]
        for (key, value) in self.json(resource.described) { object[key] = value }
        self.add(resource.mimeType, resource.annotations, to: &object)
        if let size = resource.size, self.revision.supports(.toolAnnotations) { object["size"] = .integer(size) }
        return object
    }

    /// A template in `resources/templates/list`.
    public func json(_ template: ResourceTemplateDefinition) -> JSONObject {
        var object: JSONObject = ["uriTemplate": .string(template.uriTemplate)]
        for (key, value) in self.json(template.described) { object[key] = value }
        self.add(template.mimeType, template.annotations, to: &object)
        return object
    }

    /// A prompt in `prompts/list`.
    public func json(_ prompt: PromptDefinition) -> JSONObject {
        var object = self.json(prompt.described)
        if prompt.arguments.isEmpty == false {
            object["arguments"] = .array(
                prompt.arguments.map { argument in
                    [
                        "name": .string(argument.name), "description": .string(argument.description),
                        "required": .bool(argument.isRequired),
                    ]
                }
            )
        }
        return object
    }

    /// A message of `prompts/get` or of a sampling request.
    public func json(_ message: PromptMessage) -> JSONValue {
        ["role": .string(message.role.rawValue), "content": .object(self.json(message.content))]
    }
}
