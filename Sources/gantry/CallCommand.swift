import ArgumentParser
import Foundation
import GantryServer
import JSON
import MCPServer

struct CallCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "call",
        abstract: "Call a tool.",
        discussion: """
            Prints the structured result as JSON. If the tool fails, prints the error as JSON (code, message, errors \
            with the pointers of wrong arguments) and exits with 1.

            Example: gantry call knowledge.query '{"query": "How do I add a tool?"}'
            """
    )

    @OptionGroup var options: SettingsOptions

    @Argument(help: "The name of the tool; see “gantry tools”.")
    var name: String

    @Argument(help: "The arguments as a JSON object, or - to read it from standard input.")
    var arguments: String = "{}"

    func run() async throws {
        let arguments = try self.parsedArguments()
        try await self.options.withApplication(quietly: true) { application in
            let invocation = ToolInvocation(
                tool: self.name,
                arguments: arguments,
                requestID: RandomID.make(),
                transport: "cli",
                principal: .local
            )
            do throws(ToolError) {
                let answer = try await application.server.callTool(invocation)
                Output.line(answer.structured.serializedString(pretty: true))
            } catch {
                Output.line(JSONValue.object(error.json).serializedString(pretty: true))
                throw ExitCode(ExitStatus.failed)
            }
        }
    }

    private func parsedArguments() throws -> JSONObject {
        var text = self.arguments
        if text == "-" {
            text = String(decoding: try FileHandle.standardInput.readToEnd() ?? Data(), as: UTF8.self)
        }
        do {
            guard let object = try JSONValue(parsing: text).objectValue else {
                throw ValidationError("The arguments must be a JSON object.")
            }
            return object
        } catch let error as JSONError {
            throw ValidationError("The arguments are not JSON: \(error.message) (byte \(error.offset)).")
        }
    }
}
