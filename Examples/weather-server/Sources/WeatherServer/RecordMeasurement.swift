import MCPServer

/// A tool that asks the user about what looks wrong, before it does anything.
struct RecordMeasurement: Tool {
    static let name: ToolName = "weather.record_measurement"
    static let title: String? = "Record a measurement"
    static let description = """
        Records a temperature that was measured at a station.
        Use this tool when: the user tells what the thermometer shows.
        Do not use it for: forecasts.
        The user is asked whether an unusual temperature is meant.
        """
    static let effect = Effect.write(idempotent: false)
    static let permission: Permission = "weather:write"

    struct Arguments: ToolArguments {
        @Param("The station, for example northport") var station: String
        @Param("The temperature in degrees Celsius", .range(-90...60)) var celsius: Double
    }

    struct Confirmation: ToolArguments {
        @Param("It is right: record it") var isRight: Bool
    }

    let book: StationBook

    func call(_ arguments: Arguments, _ context: ToolContext) async throws -> String {
        let station = try self.book.required(arguments.station)
        if station.usual.contains(arguments.celsius) == false {
            let answer = try await context.ask(
                "\(arguments.celsius) °C is unusual for \(arguments.station). Is it right?",
                for: Confirmation.self,
                key: "confirm"
            )
            guard answer.content?.isRight == true else { return "Nothing was recorded." }
        }
        // Since 2026-07-28 the call begins anew with the answer: only what is below happens once.
        self.book.add(arguments.celsius, to: arguments.station)
        await context.resourceUpdated(StationPage.uri(of: arguments.station))
        return "Recorded \(arguments.celsius) °C for \(arguments.station)."
    }
}
