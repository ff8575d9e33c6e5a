import MCPServer

/// A tool whose answer is a struct.
struct Forecast: Tool {
    static let name: ToolName = "weather.forecast"
    static let title: String? = "Weather forecast"
    static let description = """
        Forecasts the temperature at a station for the next days.
        Use this tool when: somebody asks how warm it is going to be.
        Do not use it for: what was measured; read the resource weather://stations/{station}.
        Returns one entry for each day, in degrees Celsius.
        """
    static let effect = Effect.read
    static let permission: Permission = "weather:read"

    struct Arguments: ToolArguments {
        @Param("The station, for example northport") var station: String
        @Param("How many days", .range(1...7)) var days: Int = 3
    }

    struct Output: ToolOutput {
        struct Day: ToolOutput {
            var daysAhead: Int
            var celsius: Double
            var sky: Sky
        }

        var station: String
        var days: [Day]

        static let descriptions = ["days": "In the order of time, beginning with tomorrow"]
    }

    let book: StationBook

    func call(_ arguments: Arguments, _ context: ToolContext) async throws -> Output {
        let station = try self.book.required(arguments.station)
        let latest = station.measured.last ?? station.usual.lowerBound
        let middle = (station.usual.lowerBound + station.usual.upperBound) / 2
        let days = (1...arguments.days).map { day in
            // Persistence, going back to what is usual by a quarter a day.
            let drift = (middle - latest) * min(1, Double(day) / 4)
            return Output.Day(daysAhead: day, celsius: latest + drift, sky: drift < 0 ? .rain : .clear)
        }
        return Output(station: arguments.station, days: days)
    }
}

enum Sky: String, ToolEnum {
    case clear, rain
}

extension StationBook {
    /// The station with a name, or the error that tells the agent which there are.
    func required(_ name: String) throws(ToolError) -> Station {
        guard let station = self.station(name) else {
            throw ToolError(
                .notFound,
                "There is no station \(name.prefix(50)).",
                suggestedAction: "Use one of these: \(Self.names.joined(separator: ", "))."
            )
        }
        return station
    }
}
