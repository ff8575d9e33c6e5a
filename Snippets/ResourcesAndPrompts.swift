// The code of the article "Resources and prompts".
import JSON
import MCP
import MCPClient
import MCPServer

// snippet.resource
struct OpeningHours: Resource {
    let uri = "library://opening-hours"
    let name = "Opening hours"
    let description: String? = "When the library is open."
    let mimeType: String? = "text/plain"

    func read(_ context: HandlerContext) async throws -> ResourceContents {
        .text("Monday to Friday, 9 to 18")
    }
}
// snippet.end

// snippet.template
struct BookPage: ResourceTemplate {
    static let uriTemplate = "library://books/{title}"
    static let name = "Book"
    static let description: String? = "What the catalogue says about one book."
    static let mimeType: String? = "text/plain"

    static let titles = ["moss", "whale", "winter"]

    struct Arguments: ToolArguments {
        @Param("The book", .completions { typed, _ in BookPage.titles.filter { $0.hasPrefix(typed) } })
        var title: String
    }

    func read(_ arguments: Arguments, _ context: HandlerContext) async throws -> ResourceContents {
        guard Self.titles.contains(arguments.title) else {
            throw ToolError(.notFound, "There is no book \(arguments.title).")
        }
        return .text("\(arguments.title): on the shelf")
    }
}
// snippet.end

// snippet.prompt
struct Recommend: Prompt {
    static let name = "recommend"
    static let title: String? = "Recommend a book"
    static let description = "Begins a conversation about what to read next."

    struct Arguments: ToolArguments {
        @Param("What you liked last") var lastBook: String
        @Param("How many pages at most", .range(10...2000)) var pages: Int = 300
    }

    func get(_ arguments: Arguments, _ context: HandlerContext) async throws -> GetPromptResult {
        [.user("I liked \(arguments.lastBook). Recommend a book of at most \(arguments.pages) pages.")]
    }
}
// snippet.end

// snippet.server
let server = MCPServer(name: "library", version: "1.0") {
    OpeningHours()
    BookPage()
    Recommend()
}
// snippet.end

// snippet.changes
// A resource has changed: those who subscribed to it are told.
await server.resourceUpdated("library://opening-hours")
// The server offers something else from now on: clients are told which lists have changed.
await server.replaceFeatures {
    OpeningHours()
    BookPage()
}
// snippet.end

let client = InProcessClient(server: server)
print(try await client.request("resources/read", ["uri": "library://books/moss"]))
