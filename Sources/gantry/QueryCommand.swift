import ArgumentParser
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

    @Option(help: "The most passages to show (1 to 10).")
    var top: Int = 3

    @Argument(help: "A question or keywords.")
    var question: String

    func validate() throws {
        guard (1...10).contains(self.top) else { throw ValidationError("--top is a number from 1 to 10.") }
    }

    func run() async throws {
        try await self.options.withApplication(quietly: true) { application in
            let answer: KnowledgeAnswer
            do throws(KnowledgeError) {
                answer = try await application.knowledge.query(self.question, topK: self.top)
            } catch {
                throw CommandFailure(message: error.message)
            }
            if let notice = answer.notice { Output.error(notice) }
            if answer.results.isEmpty { Output.line("Nothing relevant found.") }
            for (index, result) in answer.results.enumerated() {
                let place = ([result.title] + result.headingPath).filter { !$0.isEmpty }.joined(separator: " › ")
                let score = (result.score * 1000).rounded() / 1000
                Output.line("\(index + 1). \(result.source) · \(place) · score \(score)\n\n\(result.text)\n")
            }
        }
    }
}
