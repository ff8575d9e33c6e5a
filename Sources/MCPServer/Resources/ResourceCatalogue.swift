import JSON
import MCP

/// A family of resources, its types erased.
struct RegisteredTemplate: Sendable {
    let definition: ResourceTemplateDefinition
    let template: URITemplate
    let permission: Permission
    let plan: ArgumentPlan
    /// Reads one of the family, by its variables.
    let read: @Sendable ([String: String], HandlerContext) async throws -> ResourceContents
    /// A page of the family.
    let list: @Sendable (String?, Int, HandlerContext) async throws -> ResourcePage
    /// Values for a variable.
    let suggestions: @Sendable (String, String, HandlerContext) async throws -> Suggestions?
    /// Whether somebody may hear of changes to one of the family, by its variables.
    let mayHear: @Sendable ([String: String], HandlerContext) async throws -> Bool

    init<T: ResourceTemplate>(_ resources: T) {
        self.definition = ResourceTemplateDefinition(
            uriTemplate: T.uriTemplate,
            Description(name: T.name, title: T.title, description: T.description, icons: T.icons, meta: T.meta),
            mimeType: T.mimeType,
            annotations: T.annotations
        )
        self.template = URITemplate(T.uriTemplate)
        self.permission = T.permission
        let plan = ArgumentPlan(T.Arguments())
        let names = Set(plan.fields.map(\.name))
        precondition(
            names == Set(self.template.variables),
            "The variables of \(T.uriTemplate) and the arguments of \(T.self) are not the same."
        )
        self.plan = plan
        let shape = T.Arguments.makeShape()
        self.read = { variables, context in
            var mistakes: [ArgumentMistake] = []
            guard let arguments = shape.decode(.object(plan.typed(variables)), &mistakes) else {
                throw ToolError.invalidArguments(mistakes)
            }
            return try await resources.read(arguments, context)
        }
        self.list = { try await resources.list(after: $0, limit: $1, $2) }
        self.suggestions = { try await resources.suggestions(for: $0, typed: $1, $2) }
        self.mayHear = { variables, context in
            var mistakes: [ArgumentMistake] = []
            guard let arguments = shape.decode(.object(plan.typed(variables)), &mistakes) else { return false }
            return try await resources.mayHear(of: arguments, context)
        }
    }
}

/// All resources and families of resources of a server.
struct ResourceCatalogue: Sendable {
    let resources: [any Resource]
    let templates: [RegisteredTemplate]
    private let indexes: [String: Int]

    init(_ resources: [any Resource], _ templates: [RegisteredTemplate]) {
        self.resources = resources
        self.templates = templates
        self.indexes = Dictionary(
            resources.enumerated().map { ($1.uri, $0) },
            uniquingKeysWith: { first, second in
                preconditionFailure("Two resources have the same address.")
            }
        )
    }

    /// What tells this catalogue from another.
    var names: [String] { self.resources.map(\.uri) + self.templates.map(\.definition.uriTemplate) }

    var isEmpty: Bool { self.resources.isEmpty && self.templates.isEmpty }

    /// Something that can be read.
    struct Match: Sendable {
        var permission: Permission
        var mimeType: String?
        var read: @Sendable (HandlerContext) async throws -> ResourceContents
        /// Whether somebody may hear of its changes; nothing if the permission decides that alone.
        var mayHear: (@Sendable (HandlerContext) async throws -> Bool)?
    }

    /// What an address stands for.
    func match(_ uri: String) -> Match? {
        if let index = self.indexes[uri] {
            let resource = self.resources[index]
            return Match(
                permission: resource.permission,
                mimeType: resource.mimeType,
                read: { try await resource.read($0) },
                mayHear: nil
            )
        }
        for template in self.templates {
            guard let variables = template.template.match(uri) else { continue }
            return Match(
                permission: template.permission,
                mimeType: template.definition.mimeType,
                read: { try await template.read(variables, $0) },
                mayHear: { try await template.mayHear(variables, $0) }
            )
        }
        return nil
    }

    func template(_ uriTemplate: String) -> RegisteredTemplate? {
        self.templates.first { $0.definition.uriTemplate == uriTemplate }
    }
}

extension ResourceDefinition {
    init(_ resource: any Resource) {
        self.init(
            uri: resource.uri,
            Description(
                name: resource.name,
                title: resource.title,
                description: resource.description,
                icons: resource.icons,
                meta: resource.meta
            ),
            mimeType: resource.mimeType,
            size: resource.size,
            annotations: resource.annotations
        )
    }
}
