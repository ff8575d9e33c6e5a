import ArgumentParser
import GantryServer
import Knowledge

struct IngestCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ingest",
        abstract: "Bring files into the knowledge base.",
        discussion: """
            Reads Markdown, plain text, HTML and JSON Lines. A directory means all such files in it, without hidden \
            ones. What is in the knowledge base already, unchanged, costs nothing; what has changed is replaced. \
            Exits with 1 if any file could not be ingested.
            """
    )

    @OptionGroup var options: SettingsOptions

    @Argument(help: ArgumentHelp("Files and directories.", valueName: "path"))
    var paths: [String]

    func run() async throws {
        try await self.options.withApplication(quietly: true) { application in
            let bar = IngestProgressBar(isTerminal: Output.isTerminal)
            let report: IngestReport
            do throws(KnowledgeError) {
                report = try await application.ingest(paths: self.paths) { bar.show($0) }
            } catch {
                bar.finish()
                throw CommandFailure(message: error.message)
            }
            bar.finish()
            for result in report.results {
                if case .failed(let error) = result.outcome { Output.error("\(result.source): \(error.message)") }
            }
            Output.line(
                "\(report.addedCount) added, \(report.updatedCount) updated, \(report.unchangedCount) unchanged, "
                    + "\(report.failedCount) failed"
            )
            if report.failedCount > 0 { throw ExitCode(ExitStatus.failed) }
        }
    }
}
