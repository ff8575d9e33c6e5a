import ArgumentParser
import Audit
import GantryServer

struct AuditVerify: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Check that no record was changed, removed, added or moved.",
        discussion: """
            Prints the head of the log: note it elsewhere, and pass it next time, to see that the log still holds it \
            and is no older copy. Exits with 1 if anything is wrong.
            """
    )

    @OptionGroup var options: SettingsOptions

    @Option(help: ArgumentHelp("A head that was printed earlier.", valueName: "head"))
    var head: String?

    func run() async throws {
        try await self.options.withApplication(quietly: true) { application in
            let found: AuditVerification
            do throws(AuditError) {
                found = try await application.auditStore.verify(application.auditChain, notedHead: self.head)
            } catch {
                throw CommandFailure(message: error.message)
            }
            if let problem = found.problem {
                throw CommandFailure(message: "\(problem) \(found.count) records before it are right.")
            }
            Output.line("\(found.count) records are as they were written; head \(found.head)")
        }
    }
}
