import ArgumentParser
import Foundation
import GantryServer
import Knowledge

struct EvalCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "eval",
        abstract: "Measure retrieval on a labelled collection.",
        discussion: """
            Ingests the corpus into a store of its own, asks every query, and prints nDCG@10, recall and MRR. The \
            knowledge base of the data directory is not touched.
            """
    )

    @OptionGroup var options: SettingsOptions

    @Option(help: ArgumentHelp("JSON Lines with id, title and text.", valueName: "file"))
    var corpus: String

    @Option(help: ArgumentHelp("JSON Lines with id and text.", valueName: "file"))
    var queries: String

    @Option(help: ArgumentHelp("Lines of query, document and relevance.", valueName: "file"))
    var qrels: String

    @Option(
        name: .customLong("run"),
        help: ArgumentHelp("Write the ranking to this file, in the form of TREC.", valueName: "file")
    )
    var runFile: String?

    func run() async throws {
        try await self.options.withApplication(quietly: true) { application in
            let bar = IngestProgressBar(isTerminal: Output.isTerminal)
            do {
                let set = try EvaluationSet(
                    corpus: try Self.content(of: self.corpus),
                    queries: try Self.content(of: self.queries),
                    qrels: try Self.content(of: self.qrels)
                )
                let report = try await application.evaluate(set) { progress in
                    if Output.isTerminal { bar.show(progress) }
                }
                bar.finish()
                if let runFile {
                    try Data(report.run.trecText(queries: report.queryIDs, tag: "gantry").utf8).write(
                        to: URL(filePath: runFile)
                    )
                }
                Output.line(report.table)
            } catch let error as KnowledgeError {
                bar.finish()
                throw CommandFailure(message: error.message)
            }
        }
    }

    private static func content(of path: String) throws -> [UInt8] {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw CommandFailure(message: "The file \(path) can't be read.")
        }
        return Array(data)
    }
}
