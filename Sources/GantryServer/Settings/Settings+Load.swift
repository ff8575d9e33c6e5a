import Configuration
import Embedding
import JiraTools
import Logging
import MCPServer
import Reranking
import Secrets
import Telemetry

extension Settings {
    /// Reads and checks all settings.
    ///
    /// - Parameters:
    ///   - commandLine: Values by setting, as given on the command line.
    ///   - environment: The environment variables.
    ///   - path: The path of the configuration file, if there is one.
    /// - Returns: The settings.
    /// - Throws: A ``SettingsError`` that names every setting that can't be used.
    public static func load(
        commandLine: [SettingKey: String] = [:],
        environment: [String: String],
        file path: String? = nil
    ) async throws(SettingsError) -> Settings {
        let arguments = commandLine.map { ($0.absoluteKey, ConfigValue(.string($1), isSecret: $0.isSecret)) }
        var providers: [(origin: SettingOrigin, provider: any ConfigProvider)] = [
            (.commandLine, InMemoryProvider(values: Dictionary(uniqueKeysWithValues: arguments))),
            (.environment, EnvironmentVariablesProvider(environmentVariables: environment)),
        ]
        var problems: [SettingsError.Problem] = []
        var sources: [SourceSettings] = []
        if let path {
            let file = try await SettingsFile(path: path)
            providers.append((.file, file.provider))
            problems = file.problems
            sources = file.sources
        }
        var reader = SettingsReader(providers: providers)
        let secrets = Self.secrets(&reader, environment)
        await reader.resolve(secrets)
        var settings = Settings(reading: &reader)
        settings.secrets = secrets
        settings.references = reader.found.compactMapValues(\.reference)
        settings.sources = sources
        settings.issuer = Self.issuer(&reader, publicURL: settings.publicURL)
        settings.report = settings.makeReport(reader)
        problems += reader.problems
        guard problems.isEmpty else { throw SettingsError(problems: problems) }
        return settings
    }

    private init(reading reader: inout SettingsReader) {
        self.isInsecure = reader.flag(.insecure)
        self.isAuthenticationRequired = Self.isAuthenticationRequired(&reader)
        self.host = Self.host(&reader, mayBePublic: self.isInsecure || self.isAuthenticationRequired)
        self.port = reader.value(.port, default: 8000, expected: "a port (0 to 65535)") { text in
            Int(text).flatMap { (0...65535).contains($0) ? $0 : nil }
        }
        self.dataDirectory = reader.text(.dataDirectory) ?? ".gantry"
        self.isReadOnly = reader.flag(.readOnly)
        self.toolNames = reader.value(.toolNames, default: .dotted, expected: "dotted or underscore") { text in
            ToolNaming(rawValue: text.lowercased())
        }
        self.allowedHosts = reader.list(.allowedHosts) { host in
            host.contains("/") || host.contains(" ")
                ? "“\(host)” is not a host name. Write it without a scheme or a path, for example gantry.example.com."
                : nil
        }
        self.corsOrigins = reader.list(.corsOrigins, problem: Self.originProblem)
        self.offersHTTPWithSSE = reader.flag(.httpSSE)
        self.database = Self.database(&reader)
        self.redis = Self.redis(&reader)
        self.sealingKeys = Self.sealingKeys(&reader)
        self.limits = Self.limits(&reader)
        self.publicURL = Self.publicURL(&reader, port: self.port)
        self.policyFile = Self.policyFile(&reader)
        let days = reader.value(.auditRetention, default: 365, expected: "a number of days, 0 to 36500") { text in
            Int(text).flatMap { (0...36_500).contains($0) ? $0 : nil }
        }
        self.auditRetentionDays = days == 0 ? nil : days
        self.auditKey = reader.value(
            .auditKey,
            default: nil,
            expected: "a text of 32 to 1024 bytes that nobody can guess"
        ) {
            (32...1024).contains($0.utf8.count) ? $0 : nil
        }
        self.jira = Self.jira(&reader)
        self.embeddingsPrecision = reader.choice(.embeddingsPrecision, default: .auto)
        self.embeddings = Self.embeddings(&reader)
        self.reranking = Self.reranking(&reader)
        let schemes = reader.list(.gitSchemes) { scheme in
            ["https", "ssh", "http", "git", "file"].contains(scheme) ? nil : "“\(scheme)” is not a scheme of git."
        }
        if !schemes.isEmpty { self.gitSchemes = schemes }
        self.logLevel = reader.choice(.logLevel, default: .info)
        self.logFormat =
            reader.value(.logFormat, default: nil, expected: "text or json") { LogFormat(rawValue: $0.lowercased()) }
    }

    private func makeReport(_ reader: SettingsReader) -> [SettingReport] {
        SettingKey.all.map { key in
            guard let found = reader.found[key] else {
                return SettingReport(setting: key, value: self.defaultText(key), origin: .defaultValue)
            }
            let shown = found.reference.map(\.description) ?? (key.isSecret ? "(hidden)" : found.text)
            return SettingReport(setting: key, value: shown, origin: found.origin)
        }
    }

    /// The text of a default value, for the report.
    private func defaultText(_ key: SettingKey) -> String? {
        switch key {
        case .host: self.host
        case .port: String(self.port)
        case .dataDirectory: self.dataDirectory
        case .readOnly, .insecure, .httpSSE: "false"
        case .gitSchemes: self.gitSchemes.joined(separator: ",")
        case .toolNames: self.toolNames.rawValue
        case .databasePoolSize: "20"
        case .databaseMaximumOverflow: "10"
        case .databaseRecycleSeconds: "3600"
        case .embeddingsPrecision: self.embeddingsPrecision.rawValue
        case .rerankStyle: self.reranking?.style.rawValue
        case .authentication: "auto"
        case .publicURL: self.publicURL
        case .auditRetention: "365"
        case .secretsProvider: SecretsProvider.env.rawValue
        case .secretsDirectory: Self.defaultSecretsDirectory
        case .secretsLifetime: String(Self.defaultSecretsLifetime)
        case .logLevel: self.logLevel.rawValue
        default: nil
        }
    }

    private static func host(_ reader: inout SettingsReader, mayBePublic: Bool) -> String {
        let host = reader.text(.host) ?? "127.0.0.1"
        if !Loopback.contains(host: host), !mayBePublic {
            reader.reject(
                .host,
                """
                “\(host)” lets other machines call without authentication. Set JWT_JWKS_URL, JWT_PUBLIC_KEY or \
                GANTRY_AUTH=required, use 127.0.0.1, or --insecure if that is meant.
                """
            )
        }
        return host
    }

    private static func originProblem(_ origin: String) -> String? {
        if origin == "*" {
            return "“*” would let any web page call. Name the origins, for example https://example.com."
        }
        let address = WebAddress(origin)
        return address?.isOrigin == true ? nil : "“\(origin)” is not an origin such as https://example.com."
    }

    private static func database(_ reader: inout SettingsReader) -> Database? {
        func number(_ key: SettingKey, _ standard: Int, _ range: ClosedRange<Int>) -> Int {
            reader.value(key, default: standard, expected: "a number (\(range.lowerBound) to \(range.upperBound))") {
                text in
                Int(text).flatMap { range.contains($0) ? $0 : nil }
            }
        }
        let poolSize = number(.databasePoolSize, 20, 1...1000)
        let maximumOverflow = number(.databaseMaximumOverflow, 10, 0...1000)
        let recycleSeconds = number(.databaseRecycleSeconds, 3600, 1...86_400)
        guard let url = reader.text(.databaseURL) else { return nil }
        guard url.hasPrefix("postgresql://") || url.hasPrefix("postgres://") else {
            reader.reject(.databaseURL, "Write postgresql://user:password@host:5432/database.")
            return nil
        }
        return Database(
            url: url,
            poolSize: poolSize,
            maximumOverflow: maximumOverflow,
            recycleSeconds: recycleSeconds
        )
    }

    private static func jira(_ reader: inout SettingsReader) -> Jira? {
        let user = reader.text(.jiraUser)
        let token = reader.text(.jiraToken)
        let projects = reader.list(.jiraProjects) { key in
            Self.isProjectKey(key) ? nil : "“\(key)” is not a project key such as ENG."
        }
        guard let url = reader.text(.jiraURL) else {
            for key in [SettingKey.jiraUser, .jiraToken, .jiraProjects] where reader.found[key] != nil {
                reader.reject(key, "This has no effect without JIRA_URL.")
            }
            return nil
        }
        if let problem = Self.jiraURLProblem(url) {
            reader.reject(.jiraURL, problem)
        }
        for (key, value) in [(SettingKey.jiraUser, user), (.jiraToken, token)] where value == nil {
            reader.reject(key, "Set it too: JIRA_URL is set, and Jira wants an account and its token.")
        }
        guard let user, let token else { return nil }
        for (key, value) in [(SettingKey.jiraUser, user), (.jiraToken, token)]
        where !JiraConfiguration.isCredential(value) {
            reader.reject(key, "This holds a line break or another control character.")
        }
        let trimmed = url.hasSuffix("/") ? String(url.dropLast()) : url
        return Jira(url: trimmed, user: user, token: token, projects: projects)
    }

    private static func embeddings(_ reader: inout SettingsReader) -> Embeddings? {
        let model = reader.text(.embeddingsModel)
        let apiKey = reader.text(.embeddingsAPIKey)
        func number(_ key: SettingKey, default: Int, _ range: ClosedRange<Int>, _ meaning: String) -> Int {
            reader.value(key, default: `default`, expected: "\(meaning) (\(range.lowerBound) to \(range.upperBound))") {
                Int($0).flatMap { range.contains($0) ? $0 : nil }
            }
        }
        let dimension = number(.embeddingsDimension, default: 0, 1...16_384, "the length of the model's vectors")
        let maximumTokens = number(.embeddingsMaxTokens, default: 512, 16...1_000_000, "a number of tokens")
        guard let url = reader.text(.embeddingsURL) else {
            let keys = [SettingKey.embeddingsModel, .embeddingsAPIKey, .embeddingsDimension, .embeddingsMaxTokens]
            for key in keys where reader.found[key] != nil {
                reader.reject(key, "This has no effect without EMBEDDINGS_URL.")
            }
            return nil
        }
        if model == nil {
            reader.reject(.embeddingsModel, "Set it too: EMBEDDINGS_URL is set, and the service wants a model's name.")
        }
        if reader.found[.embeddingsDimension] == nil {
            reader.reject(
                .embeddingsDimension,
                "Set it too: EMBEDDINGS_URL is set. It is the length of the model's vectors, for example 1536."
            )
        }
        if let problem = Self.embeddingsURLProblem(url, hasKey: apiKey != nil) {
            reader.reject(.embeddingsURL, problem)
        }
        if let apiKey, !apiKey.utf8.allSatisfy({ (0x21...0x7e).contains($0) }) {
            reader.reject(.embeddingsAPIKey, "This holds a blank, a line break or another character that no key has.")
        }
        guard let model, dimension > 0 else { return nil }
        return Embeddings(url: url, model: model, apiKey: apiKey, dimension: dimension, maximumTokens: maximumTokens)
    }

    private static func embeddingsURLProblem(_ text: String, hasKey: Bool) -> String? {
        guard let address = WebAddress(text) else {
            return "This is not an address such as https://api.openai.com/v1 (without a user, query or fragment)."
        }
        if hasKey, address.scheme == "http", !Loopback.contains(host: address.host) {
            return "The key would travel unencrypted. Use https."
        }
        return nil
    }

    private static func reranking(_ reader: inout SettingsReader) -> HTTPReranker.Configuration? {
        let model = reader.text(.rerankModel)
        let key = reader.text(.rerankAPIKey)
        let style = reader.value(.rerankStyle, default: HTTPReranker.Style.cohere, expected: "cohere, openai or tei") {
            HTTPReranker.Style(rawValue: $0.lowercased())
        }
        guard let url = reader.text(.rerankURL) else {
            for other in [SettingKey.rerankModel, .rerankAPIKey, .rerankStyle] where reader.found[other] != nil {
                reader.reject(other, "This has no effect without RERANK_URL.")
            }
            return nil
        }
        guard let address = WebAddress(url) else {
            reader.reject(.rerankURL, "This is not an address such as https://api.example.com/v2/rerank.")
            return nil
        }
        if address.scheme == "http", key != nil, !Loopback.contains(host: address.host) {
            reader.reject(.rerankURL, "The key would travel unencrypted. Use https.")
        }
        guard let model else {
            reader.reject(.rerankModel, "Set it too: RERANK_URL is set, and the endpoint wants the name of a model.")
            return nil
        }
        if let key, key.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F }) {
            reader.reject(.rerankAPIKey, "This holds a line break or another control character.")
        }
        return HTTPReranker.Configuration(url: url, model: model, apiKey: key, style: style)
    }

    private static func jiraURLProblem(_ text: String) -> String? {
        guard let address = WebAddress(text) else {
            return "This is not an address such as https://example.atlassian.net (without a user, query or fragment)."
        }
        if address.scheme == "http", !Loopback.contains(host: address.host) {
            return "The token would travel unencrypted. Use https."
        }
        return nil
    }

    /// Jira's own rule: a capital letter, then capital letters, digits and underscores.
    private static func isProjectKey(_ text: String) -> Bool {
        guard let first = text.utf8.first, (65...90).contains(first), text.utf8.count >= 2 else { return false }
        return text.utf8.allSatisfy { (65...90).contains($0) || (48...57).contains($0) || $0 == UInt8(ascii: "_") }
    }
}
