import ArgumentParser
import GantryServer
import Knowledge

struct ReindexCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reindex",
        abstract: "Bring the knowledge base to the embedding model in use.",
        discussion: """
            Embeds all chunks with the model in use, or only those that have no vector yet if the model is the same. The \
            old vectors go on serving until all new ones are there; then they are swapped at once. Documents may be added \
            and removed meanwhile. Stopped at any moment, it goes on where it was when it is started again. Servers that \
            run with the old model have to be restarted with the new one afterwards.
            """
    )

    @OptionGroup var options: SettingsOptions

    func run() async throws {
        try await self.options.withApplication(quietly: true) { application in
            let bar = IngestProgressBar(isTerminal: Output.isTerminal)
            let embedded: Int
            do throws(KnowledgeError) {
                embedded = try await application.knowledge.reindex { status in
                    bar.show(done: status.embeddedCount, total: status.chunkCount, line: "embedded")
                }
            } catch {
                bar.finish()
                throw CommandFailure(message: error.message)
            }
            bar.finish()
            Output.line("\(embedded) chunks embedded; the new vectors serve.")
        }
    }
}
