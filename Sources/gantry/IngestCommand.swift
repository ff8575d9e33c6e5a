import ArgumentParser
import GantryServer
import Knowledge

struct IngestCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ingest",
        abstract: "Bring files, folders and git repositories into the knowledge base.",
        discussion: """
            Reads Markdown, reStructuredText, HTML, PDF, Word (DOCX), JSON Lines, source code and plain text. A folder \
            means all such files in it, without hidden ones and those that .gitignore names; symbolic links are not \
            followed. An address such as https://example.org/team/project.git means the newest state of that repository. \
            What is in the knowledge base already, unchanged, costs nothing; what has changed is replaced. Exits with 1 \
            if any file could not be ingested.
            """
    )

    @OptionGroup var options: SettingsOptions

    @Argument(help: ArgumentHelp("Files, folders and addresses of git repositories.", valueName: "path"))
    var paths: [String]

    @Option(
        help: ArgumentHelp("Only files that match, such as 'docs/**' or '*.md'; may be repeated.", valueName: "glob")
    )
    var include: [String] = []

    @Option(help: ArgumentHelp("Not the files and folders that match; may be repeated.", valueName: "glob"))
    var exclude: [String] = []

    @Flag(help: "Ingest what .gitignore names too.")
    var noIgnore = false

    @Flag(help: "Remove documents whose files were in these folders or repositories and are gone.")
    var prune = false

    @Flag(
        help: "Go on, and ingest what changes in the folders; what is removed there is removed here. End with Ctrl-C."
    )
    var watch = false

    func run() async throws {
        var choice = Application.IngestOptions()
        choice.include = self.include
        choice.exclude = self.exclude
        choice.honoursIgnoreFiles = !self.noIgnore
        choice.removesMissing = self.prune
        try await self.options.withApplication(quietly: true) { application in
            let bar = IngestProgressBar(isTerminal: Output.isTerminal)
            let report: IngestReport
            do throws(KnowledgeError) {
                guard !self.watch else {
                    try await application.watch(paths: self.paths, options: choice, progress: { bar.show($0) }) {
                        report in
                        bar.finish()
                        Self.show(report)
                    }
                    return
                }
                report = try await application.ingest(paths: self.paths, options: choice) { bar.show($0) }
            } catch {
                bar.finish()
                throw CommandFailure(message: error.message)
            }
            bar.finish()
            Self.show(report)
            if report.failedCount > 0 { throw ExitCode(ExitStatus.failed) }
        }
    }

    private static func show(_ report: IngestReport) {
        for result in report.results {
            if case .failed(let error) = result.outcome { Output.error("\(result.source): \(error.message)") }
        }
        let removed = report.removedCount > 0 ? ", \(report.removedCount) removed" : ""
        Output.line(
            "\(report.addedCount) added, \(report.updatedCount) updated, \(report.unchangedCount) unchanged, "
                + "\(report.failedCount) failed\(removed)"
        )
    }
}
