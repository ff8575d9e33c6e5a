// The code of the article "Asking the user".
import JSON
import MCP
import MCPClient
import MCPServer

enum Branch: String, ToolEnum {
    case centre, harbour
}

// snippet.form
struct ReserveBook: Tool {
    static let name: ToolName = "library.reserve_book"
    static let description = "Reserves a book, after asking the user where to pick it up."
    static let effect = Effect.write(idempotent: false)
    static let permission: Permission = "library:write"

    struct Arguments: ToolArguments {
        @Param("The title of the book") var title: String
    }

    struct Pickup: ToolArguments {
        @Param("Where to pick it up") var branch: Branch
        @Param("How many days to keep it there", .range(1...14)) var days: Int = 7
    }

    func call(_ arguments: Arguments, _ context: ToolContext) async throws -> String {
        let answer = try await context.ask("Where shall we put \(arguments.title)?", for: Pickup.self, key: "pickup")
        guard case .accepted(let pickup) = answer else { return "Nothing was reserved." }
        // Only now does something happen.
        return "\(arguments.title) waits for \(pickup.days) days at the \(pickup.branch.rawValue)."
    }
}
// snippet.end

struct DeleteShelf: Tool {
    static let name: ToolName = "library.delete_shelf"
    static let description = "Deletes a shelf and what stands on it."
    static let effect = Effect.destructive
    static let permission: Permission = "library:write"

    // snippet.fallback
    struct Arguments: ToolArguments {
        @Param("The shelf") var shelf: String
        @Param("Whether the user has agreed already") var confirm: Bool = false
    }

    struct Confirmation: ToolArguments {
        @Param("Delete it") var delete: Bool
    }

    func call(_ arguments: Arguments, _ context: ToolContext) async throws -> String {
        if arguments.confirm == false {
            let question = InputRequest.form(message: "", schema: Confirmation.makeShape().schema)
            guard context.canAsk(question) else {
                throw ToolError(
                    .conflict,
                    "Deleting the shelf \(arguments.shelf) needs the user's consent.",
                    suggestedAction: "Ask the user, then call again with confirm: true."
                )
            }
            let answer = try await context.ask("Delete \(arguments.shelf)?", for: Confirmation.self, key: "confirm")
            guard answer.content?.delete == true else { return "The shelf stays." }
        }
        return "Deleted \(arguments.shelf)."
    }
    // snippet.end
}

struct Introduce: Tool {
    static let name: ToolName = "library.introduce"
    static let description = "Introduces a book to the user."
    static let effect = Effect.read
    static let permission: Permission = "library:read"

    struct Reader: ToolArguments {
        @Param("Your name") var name: String
    }

    // snippet.several
    func call(_ arguments: NoArguments, _ context: ToolContext) async throws -> String {
        let answers = try await context.ask([
            ("reader", .form(message: "Who are you?", schema: Reader.makeShape().schema)),
            ("line", .sampling(SamplingRequest([.user("Invent the first line of a novel.")], maxTokens: 50))),
        ])
        let name = answers["reader"]?["content"]?["name"]?.stringValue ?? "reader"
        let line = SamplingAnswer(answers["line"] ?? [:]).text
        return "Dear \(name): \(line)"
    }
    // snippet.end
}

let server = MCPServer(name: "library", version: "1.0") {
    ReserveBook()
    DeleteShelf()
    Introduce()
}
let client = InProcessClient(server: server) { _ in
    ["action": "accept", "content": ["branch": "harbour"]]
}
print(try await client.callTool("library.reserve_book", ["title": "The Whale"]))
