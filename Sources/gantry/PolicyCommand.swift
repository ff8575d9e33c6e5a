import ArgumentParser

struct PolicyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "policy",
        abstract: "Explain and check who may do what.",
        subcommands: [PolicyExplain.self, PolicyCheck.self]
    )
}
