import ArgumentParser
import Foundation
import GantryServer
import Knowledge

struct EvalChunksCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "eval-chunks",
        abstract: "Measure how exactly chunks cover the passages that answer questions.",
        discussion: """
            Ingests the documents into a store of its own, retrieves five passages for every question, and prints recall, \
            precision and IoU against the spans. The sizes are in tokens; without them the defaults are measured.
            """
    )

    @OptionGroup var options: SettingsOptions

    @Option(help: ArgumentHelp("JSON Lines with id and text.", valueName: "file"))
    var documents: String

    @Option(help: ArgumentHelp("JSON Lines with id and text.", valueName: "file"))
    var queries: String

    @Option(help: ArgumentHelp("Lines of query, document, start and end.", valueName: "file"))
    var spans: String

    @Option(help: "The most tokens of a chunk (20 to 254).")
    var window: Int?

    @Option(help: "How many tokens of a chunk the next one repeats.")
    var overlap: Int?

    @Option(help: "Cut into windows of so many tokens instead, whatever they cut through (20 to 1000).")
    var fixed: Int?

    func validate() throws {
        guard self.window.map({ (20...254).contains($0) }) ?? true else {
            throw ValidationError("--window is a number from 20 to 254.")
        }
        guard self.overlap.map({ (0..<(self.window ?? 230)).contains($0) }) ?? true else {
            throw ValidationError("--overlap is less than the window.")
        }
        guard self.fixed.map({ (20...1000).contains($0) }) ?? true else {
            throw ValidationError("--fixed is a number from 20 to 1000.")
        }
    }

    func run() async throws {
        try await self.options.withApplication(quietly: true) { application in
            do {
                let set = try ChunkEvaluationSet(
                    documents: try Self.content(of: self.documents),
                    queries: try Self.content(of: self.queries),
                    spans: try Self.content(of: self.spans)
                )
                var chunking = ChunkingConfiguration()
                chunking.windowTokens = self.fixed ?? self.window ?? chunking.windowTokens
                chunking.totalTokens = max(chunking.totalTokens, chunking.windowTokens)
                chunking.overlapTokens = self.fixed == nil ? self.overlap ?? chunking.overlapTokens : 0
                chunking.contextTokens = self.fixed == nil ? chunking.contextTokens : 0
                let report = try await application.evaluate(
                    set,
                    cut: self.fixed.map { .windows(tokens: $0) } ?? .structure,
                    chunking: chunking
                )
                for (name, value) in [
                    ("chunks", "\(report.chunkCount)"), ("queries", "\(report.queryCount)"),
                    ("recall", Self.short(report.recall)), ("precision", Self.short(report.precision)),
                    ("iou", Self.short(report.iou)), ("bytes", "\(Int(report.bytesPerQuery.rounded()))"),
                ] {
                    Output.line(name + String(repeating: " ", count: 12 - name.count) + value)
                }
            } catch let error as KnowledgeError {
                throw CommandFailure(message: error.message)
            }
        }
    }

    private static func short(_ number: Double) -> String { "\((number * 10_000).rounded() / 10_000)" }

    private static func content(of path: String) throws -> [UInt8] {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw CommandFailure(message: "The file \(path) can't be read.")
        }
        return Array(data)
    }
}
