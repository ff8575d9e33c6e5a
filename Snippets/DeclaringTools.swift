// The code of the article "Declaring tools".
import JSON
import MCP
import MCPServer

enum Section: String, ToolEnum {
    case fiction, science, travel
}

/// Where the tools of this sample look things up.
struct Shelves: Sendable {
    var titles = [7: "The Whale", 8: "Whales and Dolphins", 9: "A Field Guide to Moss"]
}

// snippet.tool
struct FindBooks: Tool {
    static let name: ToolName = "library.find_books"
    static let title: String? = "Find books"
    static let description = """
        Finds books by a word of their title.
        Use this tool when: somebody asks whether the library has a book.
        Do not use it for: reserving a book; call library.reserve_book.
        Returns the id and the title of each book.
        """
    static let effect = Effect.read
    static let permission: Permission = "library:read"

    struct Arguments: ToolArguments {
        @Param("A word of the title", .length(1...100)) var word: String
        @Param("Where to look; everywhere without it") var section: Section?
        @Param("Most books to return", .range(1...50)) var maxResults: Int = 10
    }

    let shelves: Shelves

    func call(_ arguments: Arguments, _ context: ToolContext) async throws -> FoundBooks {
        let found = self.shelves.titles.filter { $0.value.contains(arguments.word) }.sorted { $0.key < $1.key }
        let books = found.prefix(arguments.maxResults).map { FoundBooks.Book(id: $0.key, title: $0.value) }
        return FoundBooks(books: books, isComplete: found.count == books.count)
    }
}
// snippet.end

// snippet.output
struct FoundBooks: ToolOutput {
    struct Book: ToolOutput {
        var id: Int
        var title: String
        var subtitle: String?
    }

    var books: [Book]
    var isComplete: Bool

    static let descriptions = ["isComplete": "Whether there are no more than these"]
}
// snippet.end

// snippet.failure
struct ReturnBook: Tool {
    static let name: ToolName = "library.return_book"
    static let description = "Notes that a book is back on its shelf."
    static let effect = Effect.write(idempotent: true)
    static let permission: Permission = "library:write"

    struct Arguments: ToolArguments {
        @Param("The id of the book, as library.find_books tells it") var bookID: Int
    }

    let shelves: Shelves

    func call(_ arguments: Arguments, _ context: ToolContext) async throws -> String {
        guard let title = self.shelves.titles[arguments.bookID] else {
            throw ToolError(
                .notFound,
                "There is no book \(arguments.bookID).",
                suggestedAction: "Call library.find_books for the ids."
            )
        }
        return "\(title) is back."
    }
}
// snippet.end

// snippet.content
struct CoverPicture: Tool {
    static let name: ToolName = "library.cover_picture"
    static let description = "Draws the cover of a book."
    static let effect = Effect.read
    static let permission: Permission = "library:read"

    func call(_ arguments: NoArguments, _ context: ToolContext) async throws -> CallToolResult {
        context.progress(1, total: 2, message: "Drawing")
        context.log(.debug, "Half of the cover is drawn.")
        let svg = Array(#"<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"/>"#.utf8)
        return CallToolResult(content: [
            .text("The cover is below."),
            .image(data: Base64.encode(svg), mimeType: "image/svg+xml"),
        ])
    }
}
// snippet.end

// snippet.schema
struct Coordinates: ToolValue {
    var latitude: Double
    var longitude: Double

    static func makeShape() -> ValueShape<Self> {
        let number: JSONValue = ["type": "number"]
        return .validating([
            "type": "object",
            "properties": ["lat": number, "lon": number],
            "required": ["lat", "lon"],
        ]) { object in
            Self(latitude: object["lat"]?.doubleValue ?? 0, longitude: object["lon"]?.doubleValue ?? 0)
        }
    }

    var json: JSONValue { ["lat": .double(self.latitude), "lon": .double(self.longitude)] }
}
// snippet.end

// snippet.server
var options = MCPServer.Options()
options.instructions = "Answers questions about the books of one library."
options.limits.principal.rate = RateLimit(burst: 20, perSecond: 5)

let shelves = Shelves()
let server = MCPServer(name: "library", version: "1.0", options: options) {
    FindBooks(shelves: shelves).timeout(.seconds(5))
    ReturnBook(shelves: shelves)
    CoverPicture()
}
// snippet.end

let answer = try await server.callTool(
    ToolInvocation(
        tool: "library.find_books",
        arguments: ["word": "Whale"],
        requestID: "1",
        transport: "sample",
        principal: .local
    )
)
print(answer.structured.serializedString())
