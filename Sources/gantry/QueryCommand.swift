import ArgumentParser
import Foundation
import GantryServer
import Knowledge

struct QueryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "query",
        abstract: "Ask the knowledge base.",
        discussion:
            "Shows the passages that answer best. For JSON, use: gantry call knowledge.query '{\"query\": \"…\"}'"
    )

    @OptionGroup var options: SettingsOptions

    @Option(help: "The most passages to show (1 to 50).")
    var top: Int = 3

    @Option(help: "The most tokens of all passages together; fewer are shown, none is cut.")
    var maxTokens: Int?

    @Option(help: "How many chunks before and after each hit are shown with it (0 to 10).")
    var neighbours: Int = 0

    @Option(help: "hybrid (by meaning and by words), dense (by meaning) or lexical (by words).")
    var mode: String = "hybrid"

    @Option(
        help: ArgumentHelp(
            "Only documents whose source matches, for example 'docs/**'; may be repeated.",
            valueName: "glob"
        )
    )
    var source: [String] = []

    @Option(
        help: ArgumentHelp(
            "Only documents whose metadata meet a condition, for example team=platform or 'severity>=2'; with =, !=, <, <=, >, "
                + ">= or ~ (contains); may be repeated.",
            valueName: "condition"
        )
    )
    var metadata: [String] = []

    @Option(
        help: "Only documents changed (else: indexed) since a date or within an age, for example 2026-11-23 or 30d."
    )
    var minFreshness: String?

    @Option(
        help: ArgumentHelp(
            "Only what somebody with this access label may read; may be repeated. Without it, everything is searched.",
            valueName: "label"
        )
    )
    var label: [String] = []

    @Flag(help: "Show the rank and the score that each search gave.")
    var explain = false

    @Argument(help: "A question or keywords.")
    var question: String

    func validate() throws {
        guard (1...50).contains(self.top) else { throw ValidationError("--top is a number from 1 to 50.") }
        guard SearchMode(rawValue: self.mode) != nil else {
            throw ValidationError("--mode is hybrid, dense or lexical.")
        }
        if let text = self.minFreshness, TimeText.date(text, now: Date()) == nil {
            throw ValidationError("--min-freshness: \(TimeText.expectation)")
        }
        do throws(KnowledgeError) {
            _ = try self.queryOptions()
        } catch {
            throw ValidationError(error.message)
        }
    }

    func run() async throws {
        try await self.options.withApplication(quietly: true) { application in
            let answer: KnowledgeAnswer
            do throws(KnowledgeError) {
                answer = try await application.knowledge.query(self.question, options: try self.queryOptions())
            } catch {
                throw CommandFailure(message: error.message)
            }
            self.show(answer)
        }
    }

    private func queryOptions() throws(KnowledgeError) -> KnowledgeQueryOptions {
        var sources: [GlobPattern] = []
        for text in self.source { sources.append(try GlobPattern(text)) }
        var conditions: [MetadataCondition] = []
        for text in self.metadata { conditions.append(try MetadataCondition(text: text)) }
        return KnowledgeQueryOptions(
            topK: self.top,
            mode: SearchMode(rawValue: self.mode) ?? .hybrid,
            filter: DocumentFilter(
                sources: sources,
                metadata: conditions,
                updatedAfter: self.minFreshness.flatMap { TimeText.date($0, now: Date()) },
                labels: self.label.isEmpty ? .all : .only(Set(self.label))
            ),
            maximumTokens: self.maxTokens,
            neighbours: self.neighbours
        )
    }

    private func show(_ answer: KnowledgeAnswer) {
        if let notice = answer.notice { Output.error(notice) }
        if answer.results.isEmpty, answer.omitted.isEmpty { Output.line("Nothing relevant found.") }
        for part in answer.parts where !answer.results.isEmpty && part.confidence.isProbablyMissing {
            Output.error("Probably not in the knowledge base: \(part.text)")
        }
        for (index, result) in answer.results.enumerated() {
            let place = ([result.title] + result.headingPath).filter { !$0.isEmpty }.joined(separator: " › ")
            let score = Self.short(result.score)
            Output.line("\(index + 1). \(result.source) · \(place) · score \(score)")
            if self.explain { Output.line("   \(Self.line(result.explanation))") }
            Output.line("\n\(result.text)\n")
        }
        let cut = answer.omitted.count { $0.reason == .budget }
        if cut > 0 { Output.error("\(cut) more passages don't fit into --max-tokens.") }
    }

    private static func line(_ explanation: RankExplanation) -> String {
        func rank(_ rank: Int?) -> String { rank.map { "#\($0)" } ?? "not listed" }
        var text = "words \(rank(explanation.lexicalRank)) (\(Self.short(explanation.lexicalScore))), "
        text += "meaning \(rank(explanation.denseRank)) (\(explanation.cosine.map(Self.short) ?? "no vectors"))"
        if let score = explanation.rerankScore { text += ", re-ranked \(Self.short(score))" }
        if let part = explanation.part { text += ", by part \(part + 1) of the question" }
        return text
    }

    private static func short(_ number: Double) -> String { "\((number * 1000).rounded() / 1000)" }
}
