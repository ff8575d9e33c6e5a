import ArgumentParser
import Foundation
import GantryServer
import Logging
import Telemetry

/// The options that every command has, and the way from them to an application.
struct SettingsOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Read settings from this YAML file.", valueName: "file"))
    var config: String?

    @Option(help: ArgumentHelp("Where documents and the model are kept (GANTRY_DATA_DIR).", valueName: "directory"))
    var dataDir: String?

    @Option(
        help: ArgumentHelp("trace, debug, info, notice, warning, error or critical (LOG_LEVEL).", valueName: "level")
    )
    var logLevel: String?

    @Option(help: ArgumentHelp("text or json (LOG_FORMAT).", valueName: "format"))
    var logFormat: String?

    @Option(
        name: .customLong("set"),
        help: ArgumentHelp(
            "Set any setting by its name, such as JIRA_URL=https://example.atlassian.net. Others can see the command line: keep secrets in the environment.",
            valueName: "name=value"
        )
    )
    var assignments: [String] = []

    /// Reads the settings, starts the log, builds the application, and cleans up after the body.
    ///
    /// - Parameters:
    ///   - more: What the command's own options set.
    ///   - quietly: Whether only warnings are logged unless a level is set: for commands whose output is the point.
    ///   - body: What to do with the application.
    /// - Throws: ``SettingsError``, ``StartError``, or what the body throws.
    func withApplication(
        _ more: [SettingKey: String?] = [:],
        quietly: Bool = false,
        _ body: (Application) async throws -> Void
    ) async throws {
        let settings = try await self.settings(more)
        let isLevelSet = settings.report.contains { $0.setting == .logLevel && $0.origin != .defaultValue }
        let log = StandardErrorLog(
            level: quietly && !isLevelSet ? .warning : settings.logLevel,
            format: settings.logFormat
        )
        log.bootstrap()
        defer { log.flush() }
        let application = try Application(
            settings: settings,
            logger: Logger(label: "gantry"),
            executable: try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        )
        do {
            try await body(application)
        } catch {
            await application.close()
            throw error
        }
        await application.close()
    }

    /// Reads the settings.
    func settings(_ more: [SettingKey: String?] = [:]) async throws -> Settings {
        var values: [SettingKey: String] = [:]
        for assignment in self.assignments {
            guard let equals = assignment.firstIndex(of: "="),
                let key = SettingKey.all.first(where: { $0.name == assignment[..<equals] })
            else {
                throw ValidationError("--set \(assignment.prefix { $0 != "=" }) names no setting; see “gantry doctor”.")
            }
            values[key] = String(assignment[assignment.index(after: equals)...])
        }
        let own: [SettingKey: String?] = [
            .dataDirectory: self.dataDir, .logLevel: self.logLevel, .logFormat: self.logFormat,
        ]
        for (key, value) in own.merging(more, uniquingKeysWith: { _, new in new }) {
            if let value { values[key] = value }
        }
        return try await Settings.load(
            commandLine: values,
            environment: ProcessInfo.processInfo.environment,
            file: self.config
        )
    }
}
