import ArgumentParser

struct AuditCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit",
        abstract: "Look after the records of calls.",
        subcommands: [AuditVerify.self]
    )
}
