import JSON
import MCP
import MCPServer

struct StaticText: Resource {
    let uri = "test://static-text"
    let name = "Static text"
    let description: String? = "A text that never changes."
    let mimeType: String? = "text/plain"

    func read(_ context: HandlerContext) async throws -> ResourceContents {
        .text("This is the content of the static text resource.")
    }
}

struct StaticBinary: Resource {
    let uri = "test://static-binary"
    let name = "Static picture"
    let description: String? = "A picture of one pixel."
    let mimeType: String? = "image/png"

    func read(_ context: HandlerContext) async throws -> ResourceContents {
        ResourceContents([.init(.blob(Samples.png))])
    }
}

struct WatchedResource: Resource {
    let uri = "test://watched-resource"
    let name = "Watched resource"
    let description: String? = "Clients can subscribe to it."
    let mimeType: String? = "text/plain"
    let annotations: Annotations? = Annotations(audience: [.user], priority: 0.5)

    func read(_ context: HandlerContext) async throws -> ResourceContents { .text("Watch me.") }
}

/// The page of an MCP App.
struct AppPage: Resource {
    let uri = "ui://fixtures/app.html"
    let name = "App"
    let description: String? = "A page that shows answers."
    let mimeType: String? = "text/html;profile=mcp-app"

    func read(_ context: HandlerContext) async throws -> ResourceContents {
        .text("<!doctype html><title>App</title>", meta: ["ui": ["csp": ["connectDomains": []]]])
    }
}

struct TemplateData: ResourceTemplate {
    static let uriTemplate = "test://template/{id}/data"
    static let name = "Template data"
    static let description: String? = "Data by id."
    static let mimeType: String? = "application/json"

    struct Arguments: ToolArguments {
        @Param("The id", .completions { typed, _ in ["123", "124", "456"].filter { $0.hasPrefix(typed) } }) var id:
            String
    }

    func read(_ arguments: Arguments, _ context: HandlerContext) async throws -> ResourceContents {
        let data: JSONValue = [
            "id": .string(arguments.id), "templateTest": true, "data": .string("Data for ID: \(arguments.id)"),
        ]
        return .text(data.serializedString())
    }
}
