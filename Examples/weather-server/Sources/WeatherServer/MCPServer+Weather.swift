public import MCPServer

extension MCPServer {
    /// A server with all that this package offers.
    public static func weather(_ book: StationBook = StationBook()) -> MCPServer {
        var options = Options()
        options.title = "Weather"
        options.instructions = "Forecasts and measurements of three stations."
        return MCPServer(name: "weather-server", version: "1.0.0", options: options) {
            Forecast(book: book).timeout(.seconds(5))
            RecordMeasurement(book: book)
            StationPage(book: book)
            PackingList()
        }
    }
}
