import MCPServer

/// A family of resources: what each station has measured.
struct StationPage: ResourceTemplate {
    static let uriTemplate = "weather://stations/{station}"
    static let name = "Station"
    static let description: String? = "The measurements of a station, oldest first."
    static let mimeType: String? = "text/plain"

    struct Arguments: ToolArguments {
        @Param("The station", .completions { typed, _ in StationBook.names.filter { $0.hasPrefix(typed) } })
        var station: String
    }

    let book: StationBook

    static func uri(of station: String) -> String { "weather://stations/\(station)" }

    func read(_ arguments: Arguments, _ context: HandlerContext) async throws -> ResourceContents {
        let station = try self.book.required(arguments.station)
        return .text(station.measured.map { "\($0) °C" }.joined(separator: "\n"))
    }
}
