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
    }

    /// What an address stands for.
    func match(_ uri: String) -> Match? {
        if let index = self.indexes[uri] {
            let resource = self.resources[index]
            return Match(permission: resource.permission, mimeType: resource.mimeType) { context in
                try await resource.read(context)
            }
        }
        for template in self.templates {
            guard let variables = template.template.match(uri) else { continue }
            return Match(permission: template.permission, mimeType: template.definition.mimeType) { context in
                try await template.read(variables, context)
            }
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
