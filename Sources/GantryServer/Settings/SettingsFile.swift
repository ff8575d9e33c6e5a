import Configuration
import Foundation
import Yams

/// The configuration file: YAML, with the keys of ``SettingKey/path``.
struct SettingsFile {
    /// The largest file that is read.
    static let maximumBytes = 1 << 20

    let provider: any ConfigProvider
    let problems: [SettingsError.Problem]
    let sources: [SourceSettings]

    /// Reads the file.
    ///
    /// - Throws: A ``SettingsError`` that names the file if it can't be read or isn't YAML.
    init(path: String) async throws(SettingsError) {
        do {
            guard let data = FileManager.default.contents(atPath: path) else {
                throw SettingsError(problems: [
                    .init(setting: path, message: "There is no such file, or it can't be read.")
                ])
            }
            guard data.count <= Self.maximumBytes else {
                throw SettingsError(problems: [.init(setting: path, message: "The file is larger than 1 MiB.")])
            }
            let root = try Yams.compose(yaml: String(decoding: data, as: UTF8.self))
            var problems = root.map(Self.unknownKeys) ?? []
            self.sources = root?.mapping?["sources"].map { SourceSettings.all(in: $0, &problems) } ?? []
            self.problems = problems
            // The provider can't read a list of mappings, and would say so in its own words.
            guard !problems.contains(where: { $0.setting.hasPrefix("sources") }) else {
                throw SettingsError(problems: problems)
            }
            let location = InMemoryProvider(values: ["filePath": .init(.string(path), isSecret: false)])
            self.provider = try await FileProvider<YAMLSnapshot>(config: ConfigReader(provider: location))
        } catch let error as SettingsError {
            throw error
        } catch {
            throw SettingsError(problems: [.init(setting: path, message: "The file can't be used: \(error)")])
        }
    }

    /// A problem for each key of the file that is no setting: a misspelt key would otherwise be a silent default.
    private static func unknownKeys(in root: Node) -> [SettingsError.Problem] {
        let known = Set(SettingKey.all.map { $0.path.joined(separator: ".") })
        // Those of sources are checked where they are read.
        let paths = Self.paths(of: root, prefix: "").filter { $0 != "sources" && !$0.hasPrefix("sources.") }
        return paths.filter { !known.contains($0) }.sorted().map { path in
            .init(setting: path, message: "There is no such setting.", origin: .file)
        }
    }

    private static func paths(of node: Node, prefix: String) -> [String] {
        guard let mapping = node.mapping else { return [prefix] }
        return mapping.flatMap { key, value in
            let name = key.string ?? "?"
            return Self.paths(of: value, prefix: prefix.isEmpty ? name : "\(prefix).\(name)")
        }
    }
}
