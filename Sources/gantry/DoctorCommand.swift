import ArgumentParser
import GantryServer

struct DoctorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Show all settings with their origins, and try out every part.",
        discussion: "Secrets are hidden. Exits with 1 if something that is configured doesn't work."
    )

    @OptionGroup var options: SettingsOptions

    func run() async throws {
        try await self.options.withApplication(quietly: true) { application in
            Output.line("Settings")
            for setting in application.settings.report {
                Output.line(Self.columns(setting.setting.name, setting.value ?? "–", "\(setting.origin)"))
            }
            let findings = await application.diagnose()
            Output.line("\nParts")
            for finding in findings {
                Output.line(Self.columns(finding.part, finding.verdict.rawValue, finding.message))
            }
            if findings.contains(where: { $0.verdict == .broken }) { throw ExitCode(ExitStatus.failed) }
        }
    }

    private static func columns(_ first: String, _ second: String, _ third: String) -> String {
        func padded(_ text: String, _ width: Int) -> String {
            text + String(repeating: " ", count: max(1, width - text.count))
        }
        return "  " + padded(first, 24) + padded(second, 32) + third
    }
}
