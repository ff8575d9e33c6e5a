import Access
import ArgumentParser

struct PolicyCheck: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Check a policy file.",
        discussion: "Exits with 78 and names the line and the key of the first mistake if a server would refuse it."
    )

    @Argument(help: "The policy file.")
    var file: String

    func run() async throws {
        do throws(PolicyError) {
            let policy = try Policy(file: self.file)
            Output.line(
                "The policy can be used; it has the roles \(policy.roles.keys.sorted().joined(separator: ", "))."
            )
        } catch {
            Output.error(error.description)
            throw ExitCode(ExitStatus.wrongConfiguration)
        }
    }
}
