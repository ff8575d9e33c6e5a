import MCP
import MCPServer

/// A prompt: a conversation that a user can begin with.
struct PackingList: Prompt {
    static let name = "packing_list"
    static let title: String? = "What to pack"
    static let description = "Asks for a packing list that fits the weather."

    struct Arguments: ToolArguments {
        @Param("Where you are going") var station: String
        @Param("How many days you stay", .range(1...7)) var days: Int = 3
    }

    func get(_ arguments: Arguments, _ context: HandlerContext) async throws -> GetPromptResult {
        [
            .user(
                """
                I travel to \(arguments.station) for \(arguments.days) days. Look up the forecast with \
                weather.forecast and write a short packing list.
                """
            )
        ]
    }
}
