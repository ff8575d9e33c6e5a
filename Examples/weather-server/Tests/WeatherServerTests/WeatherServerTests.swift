import JSON
import MCP
import MCPClient
import MCPServer
import Testing
import WeatherServer

@Suite("The weather server")
struct WeatherServerTests {
    private static let revisions: [ProtocolRevision] = [.v2025_11_25, .v2026_07_28]

    private static func text(_ result: JSONObject) -> String? { result["content"]?[0]?["text"]?.stringValue }

    @Test("A forecast is structured, and its mistakes are told", arguments: Self.revisions)
    func forecast(revision: ProtocolRevision) async throws {
        let client = InProcessClient(server: .weather(), revision: revision)
        let answer = try await client.callTool("weather.forecast", ["station": "northport", "days": 2])
        #expect(answer["structuredContent"]?["days"]?.arrayValue?.count == 2)
        #expect(answer["structuredContent"]?["days"]?[0]?["days_ahead"] == 1)
        let unknown = try await client.callTool("weather.forecast", ["station": "westend"])
        #expect(unknown["isError"] == true)
        #expect(Self.text(unknown)?.contains("eastvale, northport, southmoor") == true)
    }

    @Test("An unusual measurement is recorded once, after the user has agreed", arguments: Self.revisions)
    func asking(revision: ProtocolRevision) async throws {
        let server = MCPServer.weather()
        let client = InProcessClient(server: server, revision: revision) { question in
            #expect(question.params["message"] == "47.0 °C is unusual for northport. Is it right?")
            return ["action": "accept", "content": ["is_right": true]]
        }
        let arguments: JSONObject = ["station": "northport", "celsius": 47]
        #expect(
            Self.text(try await client.callTool("weather.record_measurement", arguments))?.hasPrefix("Recorded") == true
        )
        let page = try await client.request("resources/read", ["uri": "weather://stations/northport"])
        let lines = page["contents"]?[0]?["text"]?.stringValue?.split(separator: "\n") ?? []
        #expect(lines == ["-3.0 °C", "-1.5 °C", "2.0 °C", "47.0 °C"])
    }

    @Test("A measurement that the user takes back is not recorded", arguments: Self.revisions)
    func declining(revision: ProtocolRevision) async throws {
        let client = InProcessClient(server: .weather(), revision: revision) { _ in ["action": "decline"] }
        let answer = try await client.callTool("weather.record_measurement", ["station": "northport", "celsius": 47])
        #expect(Self.text(answer) == "Nothing was recorded.")
    }

    @Test("Stations are suggested, and a prompt is made of what the user fills in", arguments: Self.revisions)
    func completionAndPrompt(revision: ProtocolRevision) async throws {
        let client = InProcessClient(server: .weather(), revision: revision)
        let completion = try await client.request(
            "completion/complete",
            [
                "ref": ["type": "ref/resource", "uri": "weather://stations/{station}"],
                "argument": ["name": "station", "value": "n"],
            ]
        )
        #expect(completion["completion"]?["values"] == ["northport"])
        let prompt = try await client.request(
            "prompts/get",
            ["name": "packing_list", "arguments": ["station": "eastvale", "days": "5"]]
        )
        #expect(prompt["messages"]?[0]?["content"]?["text"]?.stringValue?.contains("eastvale for 5 days") == true)
    }
}
