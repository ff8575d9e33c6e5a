import ArgumentParser
import Foundation
import GantryServer

/// The program.
///
/// It does nothing itself: each command hands over to ``GantryServer``.
@main
struct Gantry: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "gantry",
        abstract: "An MCP server for operations work: a knowledge base, Kubernetes manifests and a Jira backlog.",
        discussion: """
            Settings come from options, else from environment variables, else from a YAML file (--config), else from \
            defaults; “gantry doctor” shows them all.

            Exit codes: 0 done, 1 failed, 2 wrong usage, 78 wrong configuration.
            """,
        version: GantryVersion.current,
        subcommands: [
            ServeCommand.self, StdioCommand.self, IngestCommand.self, QueryCommand.self, ToolsCommand.self,
            CallCommand.self, DoctorCommand.self, EvalCommand.self, EvalChunksCommand.self, MigrateCommand.self,
            ReindexCommand.self, ExtractWorkerCommand.self,
            TokenCommand.self, PolicyCommand.self, AuditCommand.self,
        ]
    )

    /// Runs the command line and ends the process with one of the exit codes of the contract.
    static func main() async {
        do {
            var command = try Self.parseAsRoot()
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch {
            Self.end(error)
        }
    }

    private static func end(_ error: any Error) -> Never {
        switch error {
        case let error as SettingsError:
            Output.error("wrong configuration:\n\(error)")
            ExitStatus.end(ExitStatus.wrongConfiguration)
        case let error as ExitCode:
            ExitStatus.end(error.rawValue)
        case let error as CommandFailure:
            Output.error(error.message)
            ExitStatus.end(ExitStatus.failed)
        case let error as StartError:
            Output.error(error.description)
            ExitStatus.end(ExitStatus.failed)
        default:
            switch Self.exitCode(for: error) {
            case .success:
                // Help and version are errors to the parser.
                Output.line(Self.fullMessage(for: error))
                ExitStatus.end(ExitStatus.done)
            case .validationFailure:
                FileHandle.standardError.write(Data((Self.fullMessage(for: error) + "\n").utf8))
                ExitStatus.end(ExitStatus.wrongUsage)
            default:
                Output.error("\(error)")
                ExitStatus.end(ExitStatus.failed)
            }
        }
    }
}

/// The exit codes of all commands.
enum ExitStatus {
    static let done: Int32 = 0
    static let failed: Int32 = 1
    static let wrongUsage: Int32 = 2
    /// EX_CONFIG of sysexits.
    static let wrongConfiguration: Int32 = 78

    /// Ends the process.
    ///
    /// It has a name of its own because every command has a method `exit` that ends with other codes.
    static func end(_ status: Int32) -> Never {
        exit(status)
    }
}

/// Why a command failed, in a sentence for people.
struct CommandFailure: Error {
    var message: String
}
