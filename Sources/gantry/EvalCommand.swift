import ArgumentParser
import Foundation
import GantryServer
import JSON
import Knowledge

struct EvalCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "eval",
        abstract: "Measure retrieval, and compare two measurements.",
        discussion: """
            With --questions, asks a team's own questions to the knowledge base of the data directory. With --corpus, \
            --queries and --qrels, ingests a labelled collection into a store of its own and asks its queries; the \
            knowledge base of the data directory is not touched. Prints nDCG@10, recall and MRR.

            A line of the questions: {"question": "How is the key rotated?", "relevant": ["docs/keys.md", "runbooks/**"]}

            Two measurements, written with --json, are compared with: gantry eval --compare before.json after.json
            """
    )

    @OptionGroup var options: SettingsOptions

    @Option(help: ArgumentHelp("JSON Lines with question and relevant, a list.", valueName: "file"))
    var questions: String?

    @Option(help: ArgumentHelp("JSON Lines with id, title and text.", valueName: "file"))
    var corpus: String?

    @Option(help: ArgumentHelp("JSON Lines with id and text.", valueName: "file"))
    var queries: String?

    @Option(help: ArgumentHelp("Lines of query, document and relevance.", valueName: "file"))
    var qrels: String?

    @Option(
        parsing: .upToNextOption,
        help: ArgumentHelp("Compare two measurements: the first is the one before.", valueName: "file")
    )
    var compare: [String] = []

    @Option(help: ArgumentHelp("Write the measurement to this file, to be compared later.", valueName: "file"))
    var json: String?

    @Option(help: ArgumentHelp("Write a report with plots to this file.", valueName: "file"))
    var html: String?

    @Option(
        name: .customLong("run"),
        help: ArgumentHelp("Write the ranking to this file, in the form of TREC.", valueName: "file")
    )
    var runFile: String?

    func validate() throws {
        let collection = [self.corpus, self.queries, self.qrels]
        let kinds = [!self.compare.isEmpty, self.questions != nil, collection.contains { $0 != nil }]
        guard kinds.count(where: { $0 }) == 1 else {
            throw ValidationError("Give --questions, or --corpus with --queries and --qrels, or --compare.")
        }
        guard self.compare.isEmpty || self.compare.count == 2 else {
            throw ValidationError("--compare takes two files.")
        }
        guard self.compare.isEmpty || (self.json == nil && self.runFile == nil) else {
            throw ValidationError("--compare writes no measurement; leave --json and --run out.")
        }
        guard kinds[2] == false || collection.allSatisfy({ $0 != nil }) else {
            throw ValidationError("--corpus, --queries and --qrels go together.")
        }
    }

    func run() async throws {
        do {
            if self.compare.isEmpty { try await self.measure() } else { try self.compareRuns() }
        } catch let error as KnowledgeError {
            throw CommandFailure(message: error.message)
        }
    }

    private func measure() async throws {
        try await self.options.withApplication(quietly: true) { application in
            let (set, name) = try self.evaluationSet()
            let bar = IngestProgressBar(isTerminal: Output.isTerminal)
            defer { bar.finish() }
            let report: Evaluation.Report
            if self.questions == nil {
                report = try await application.evaluate(set) { progress in
                    if Output.isTerminal { bar.show(progress) }
                }
            } else {
                report = try await application.evaluate(questions: set)
            }
            let record = EvaluationRecord(report, of: set, name: name)
            if let runFile {
                try Self.write(report.run.trecText(queries: report.queryIDs, tag: "gantry"), to: runFile)
            }
            if let json { try Self.write(record.json.serializedString(pretty: true) + "\n", to: json) }
            if let html { try Self.write(EvaluationPage.html(record), to: html) }
            Output.line(report.table)
        }
    }

    private func evaluationSet() throws -> (EvaluationSet, name: String) {
        if let questions { return (try EvaluationSet(questions: try Self.content(of: questions)), questions) }
        guard let corpus, let queries, let qrels else { throw CommandFailure(message: "The collection is not whole.") }
        let set = try EvaluationSet(
            corpus: try Self.content(of: corpus),
            queries: try Self.content(of: queries),
            qrels: try Self.content(of: qrels)
        )
        return (set, corpus)
    }

    private func compareRuns() throws {
        let records = try self.compare.map { try EvaluationRecord(parsing: try Self.content(of: $0), name: $0) }
        let comparison = try EvaluationComparison(records[0], records[1])
        if let html { try Self.write(EvaluationPage.html(comparison), to: html) }
        Output.line(comparison.table)
    }

    private static func content(of path: String) throws -> [UInt8] {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw CommandFailure(message: "The file \(path) can't be read.")
        }
        return Array(data)
    }

    private static func write(_ text: String, to path: String) throws {
        do {
            try Data(text.utf8).write(to: URL(filePath: path), options: .atomic)
        } catch {
            throw CommandFailure(message: "The file \(path) can't be written: \(error.localizedDescription)")
        }
    }
}
