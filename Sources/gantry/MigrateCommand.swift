import Access
import ArgumentParser
import Audit
import GantryServer
import Knowledge

struct MigrateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "migrate",
        abstract: "Bring the database to the present schema.",
        discussion: """
            Carries out the numbered migrations that are missing, each in a transaction, under a lock, so that it may run \
            on several machines at once. The server does the same when it first uses the database. Migrations only go \
            forward; data stays.
            """
    )

    @OptionGroup var options: SettingsOptions

    func run() async throws {
        try await self.options.withApplication(quietly: true) { application in
            let done: [String]
            do {
                done = try await application.migrate()
            } catch let error as KnowledgeError {
                throw CommandFailure(message: error.message)
            } catch let error as AuditError {
                throw CommandFailure(message: error.message)
            } catch let error as KeyError {
                throw CommandFailure(message: error.description)
            }
            Output.line(done.isEmpty ? "The schema is up to date." : "Migrated: \(done.joined(separator: ", ")).")
        }
    }
}
