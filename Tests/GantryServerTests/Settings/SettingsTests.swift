import Foundation
import Knowledge
import Logging
import MCPServer
import Testing
import Upstream

@testable import GantryServer

@Suite("Settings")
struct SettingsTests {
    private func withFile<Result>(_ yaml: String, _ body: (String) async throws -> Result) async throws -> Result {
        let file = FileManager.default.temporaryDirectory.appending(path: "gantry-\(UUID().uuidString).yaml")
        try Data(yaml.utf8).write(to: file)
        defer { try? FileManager.default.removeItem(at: file) }
        return try await body(file.path)
    }

    private func problems(
        _ environment: [String: String],
        commandLine: [SettingKey: String] = [:],
        file: String? = nil
    ) async -> [SettingsError.Problem] {
        do {
            _ = try await Settings.load(commandLine: commandLine, environment: environment, file: file)
            return []
        } catch {
            return error.problems
        }
    }

    @Test("have defaults")
    func defaults() async throws {
        let settings = try await Settings.load(environment: [:])
        #expect(settings.host == "127.0.0.1")
        #expect(settings.port == 8000)
        #expect(settings.dataDirectory == ".gantry")
        #expect(settings.jira == nil)
        #expect(settings.logLevel == .info)
        #expect(settings.report.map(\.setting) == SettingKey.all)
        #expect(settings.report.allSatisfy { $0.origin == .defaultValue })
    }

    @Test(
        "have the names of the design",
        arguments: zip(
            SettingKey.all,
            [
                "GANTRY_HOST", "GANTRY_PORT", "GANTRY_DATA_DIR", "GANTRY_READ_ONLY", "GANTRY_TOOL_NAMES",
                "GANTRY_ALLOWED_HOSTS", "GANTRY_INSECURE", "GANTRY_HTTP_SSE", "CORS_ORIGINS", "GANTRY_AUTH",
                "GANTRY_PUBLIC_URL",
                "GANTRY_POLICY", "GANTRY_AUDIT_RETENTION_DAYS", "GANTRY_AUDIT_KEY", "JWT_PUBLIC_KEY", "JWT_JWKS_URL",
                "JWT_ISSUER",
                "JWT_AUDIENCE", "DATABASE_URL", "DATABASE_POOL_SIZE", "DATABASE_MAX_OVERFLOW",
                "DATABASE_POOL_RECYCLE_SECONDS", "REDIS_URL", "REDIS_CA_FILE", "GANTRY_SEALING_KEYS",
                "LIMITS_PRINCIPAL", "LIMITS_TOOLS", "LIMITS_TOTAL", "JIRA_URL", "JIRA_USER",
                "JIRA_TOKEN",
                "JIRA_PROJECTS", "EMBEDDINGS_PRECISION", "EMBEDDINGS_URL", "EMBEDDINGS_MODEL", "EMBEDDINGS_API_KEY",
                "EMBEDDINGS_DIMENSION", "EMBEDDINGS_MAX_TOKENS", "RERANK_URL", "RERANK_MODEL", "RERANK_API_KEY",
                "RERANK_STYLE", "GANTRY_GIT_SCHEMES", "SECRETS_PROVIDER", "SECRETS_DIR", "SECRETS_TTL_SECONDS",
                "AWS_REGION", "AWS_ENDPOINT_URL", "LOG_LEVEL", "LOG_FORMAT",
            ]
        )
    )
    func names(key: SettingKey, name: String) {
        #expect(key.name == name)
    }

    @Test("may be secrets that are kept elsewhere: the report has their names, and a message their places")
    func keptElsewhere() async throws {
        let settings = try await Settings.load(
            environment: [
                "JIRA_URL": "https://example.atlassian.net", "JIRA_USER": "secret://JIRA#user",
                "JIRA_TOKEN": "secret://JIRA#token", "JIRA": #"{"user":"a@example.com","token":"very-secret"}"#,
            ]
        )
        let jira = try #require(settings.jira)
        #expect(jira.user == "a@example.com" && jira.token == "very-secret")
        #expect(settings.report.first { $0.setting == .jiraToken }?.value == "secret://JIRA#token")
        #expect(settings.report.first { $0.setting == .jiraUser }?.value == "secret://JIRA#user")
        #expect(try await settings.credential(.jiraToken)?.value() == "very-secret")
        #expect(settings.credential(.jiraURL) == nil)
        #expect("\(try #require(settings.credential(.jiraToken)))" == "(hidden)")
        var dumped = ""
        dump(settings, to: &dumped)
        #expect("\(settings)\(jira)\(dumped)".contains("very-secret") == false)
        let error = await #expect(throws: SettingsError.self) {
            try await Settings.load(
                environment: [
                    "JIRA_URL": "https://example.atlassian.net", "JIRA_USER": "secret://JIRA#none",
                    "JIRA_TOKEN": "secret://NOTHING", "GANTRY_PORT": "secret://JIRA#token",
                    "SECRETS_DIR": "secret://JIRA",
                    "JIRA": #"{"token":"very-secret"}"#,
                ]
            )
        }
        let problems = error?.problems ?? []
        #expect(Set(problems.map(\.setting)) == ["JIRA_USER", "JIRA_TOKEN", "GANTRY_PORT", "SECRETS_DIR"])
        #expect(problems.count == 4)
        #expect(error?.description.contains("very-secret") == false)
    }

    @Test("of the database are checked, and its address is never shown")
    func database() async throws {
        let settings = try await Settings.load(
            environment: [
                "DATABASE_URL": "postgresql://u:very-secret@127.0.0.1/d", "DATABASE_POOL_SIZE": "3",
                "DATABASE_MAX_OVERFLOW": "0",
            ]
        )
        let database = try #require(settings.database)
        #expect([database.poolSize, database.maximumOverflow, database.recycleSeconds] as [Int] == [3, 0, 3600])
        #expect(settings.report.allSatisfy { $0.value?.contains("very-secret") != true })
        let problems = await self.problems([
            "DATABASE_URL": "mysql://u:very-secret@h/d", "DATABASE_POOL_SIZE": "0",
            "DATABASE_POOL_RECYCLE_SECONDS": "soon",
        ])
        #expect(
            Set(problems.map(\.setting)) == ["DATABASE_URL", "DATABASE_POOL_SIZE", "DATABASE_POOL_RECYCLE_SECONDS"]
        )
        #expect(problems.allSatisfy { !"\($0)".contains("very-secret") })
    }

    @Test("of Redis are checked, come with the keys that replicas share, and are never shown")
    func redis() async throws {
        let (first, second) = (Data(repeating: 1, count: 32), Data(repeating: 2, count: 32))
        let keys = "\(first.base64EncodedString()), \(second.base64EncodedString())"
        let environment = ["REDIS_URL": "rediss://app:very-secret@redis.example:6380/2", "GANTRY_SEALING_KEYS": keys]
        let settings = try await Settings.load(environment: environment)
        let redis = try #require(settings.redis)
        #expect("\(redis)" == "rediss://app@redis.example:6380/2")
        #expect(settings.sealingKeys.count == 2)
        #expect(settings.report.allSatisfy { $0.value?.contains("very-secret") != true })
        #expect(settings.report.allSatisfy { $0.value?.contains(first.base64EncodedString()) != true })
        // The keys may be in a file, one in a line.
        try await self.withFile(keys.replacing(", ", with: "\n") + "\n") { path in
            let settings = try await Settings.load(environment: ["GANTRY_SEALING_KEYS": path])
            #expect(settings.sealingKeys.count == 2)
            #expect(settings.redis == nil)
        }
        #expect(await self.problems(["REDIS_URL": "redis://127.0.0.1"]).map(\.setting) == ["GANTRY_SEALING_KEYS"])
        for wrong in ["", "c2hvcnQ=", "/no/such/file", Data(count: 31).base64EncodedString()] {
            let problems = await self.problems(["REDIS_URL": "redis://u:very-secret@h", "GANTRY_SEALING_KEYS": wrong])
            #expect(problems.map(\.setting) == ["GANTRY_SEALING_KEYS"])
            #expect(problems.allSatisfy { wrong.isEmpty || !$0.message.contains(wrong) })
        }
        for (url, file) in [("redis://h", "/etc/ssl/certs/ca-certificates.crt"), ("rediss://h", "/no/such/file")] {
            let problems = await self.problems(["REDIS_URL": url, "GANTRY_SEALING_KEYS": keys, "REDIS_CA_FILE": file])
            #expect(problems.map(\.setting) == ["REDIS_CA_FILE"])
        }
        let problems = await self.problems(["REDIS_URL": "http://u:very-secret@h", "GANTRY_SEALING_KEYS": keys])
        #expect(problems.map(\.setting) == ["REDIS_URL"])
        #expect(problems.allSatisfy { !"\($0)".contains("very-secret") })
    }

    @Test("of limits are read word by word")
    func limits() async throws {
        let settings = try await Settings.load(environment: [
            "LIMITS_PRINCIPAL": "2.5/s burst=20 concurrent=4 5000/day", "LIMITS_TOTAL": "0.5/s",
            "LIMITS_TOOLS": "jira.retrieve_backlog: 2/s, 100/day; knowledge.query: concurrent=8",
        ])
        let limits = settings.limits
        #expect(limits.principal == .init(rate: .init(burst: 20, perSecond: 2.5), concurrent: 4, perDay: 5000))
        #expect(limits.total == .init(rate: .init(burst: 1, perSecond: 0.5)))
        #expect(limits.tools["jira.retrieve_backlog"] == .init(rate: .init(burst: 2, perSecond: 2), perDay: 100))
        #expect(limits.tools["knowledge.query"] == .init(concurrent: 8))
        #expect(try await Settings.load(environment: [:]).limits == CallLimits())
        for wrong in ["10", "0/s", "-1/s", "x/s", "burst=5", "concurrent=0", "5/week", "1/s burst=x"] {
            #expect(await self.problems(["LIMITS_PRINCIPAL": wrong]).map(\.setting) == ["LIMITS_PRINCIPAL"])
        }
        for wrong in [
            "1/s", "work.list: ", ": 1/s", "work.list: 1/s; work.list: 2/s", "work_list: 1/s", "work.lst: 1/s",
        ] {
            #expect(await self.problems(["LIMITS_TOOLS": wrong]).map(\.setting) == ["LIMITS_TOOLS"])
        }
    }

    @Test("of a re-ranking model are checked together")
    func reranking() async throws {
        let environment = ["RERANK_URL": "https://rerank.example/v2/rerank", "RERANK_MODEL": "rank-1"]
        let settings = try await Settings.load(environment: environment)
        #expect(settings.reranking != nil)
        #expect(try await Settings.load(environment: [:]).reranking == nil)
        #expect(await self.problems(environment.merging(["RERANK_STYLE": "tei"]) { $1 }).isEmpty)
        #expect(await self.problems(["RERANK_URL": "https://rerank.example"]).map(\.setting) == ["RERANK_MODEL"])
        #expect(await self.problems(["RERANK_MODEL": "rank-1"]).map(\.setting) == ["RERANK_MODEL"])
        #expect(await self.problems(["RERANK_URL": "rerank", "RERANK_MODEL": "m"]).map(\.setting) == ["RERANK_URL"])
        let plain = ["RERANK_URL": "http://rerank.example", "RERANK_MODEL": "m", "RERANK_API_KEY": "k"]
        #expect(await self.problems(plain).map(\.setting) == ["RERANK_URL"])
        #expect(
            await self.problems(environment.merging(["RERANK_STYLE": "x"]) { $1 }).map(\.setting) == ["RERANK_STYLE"]
        )
    }

    @Test("come from the command line, else the environment, else the file")
    func precedence() async throws {
        let yaml = "gantry:\n  port: 1\n  tool_names: underscore\n  read_only: true\nlog: {level: debug}\n"
        let settings = try await self.withFile(yaml) { file in
            try await Settings.load(
                commandLine: [.port: "3"],
                environment: ["GANTRY_PORT": "2", "LOG_LEVEL": "error", "GANTRY_HOST": " "],
                file: file
            )
        }
        #expect(settings.port == 3)
        #expect(settings.logLevel == .error)
        #expect(settings.toolNames == .underscore)
        #expect(settings.isReadOnly)
        #expect(settings.host == "127.0.0.1")
        let origins = Dictionary(uniqueKeysWithValues: settings.report.map { ($0.setting, $0.origin) })
        #expect(origins[.port] == .commandLine)
        #expect(origins[.logLevel] == .environment)
        #expect(origins[.toolNames] == .file)
        #expect(origins[.host] == .defaultValue)
    }

    @Test("that are lists may be lists in the file", arguments: ["[ENG, OPS]", "ENG, OPS"])
    func lists(projects: String) async throws {
        let yaml = "jira:\n  url: https://example.atlassian.net/\n  user: u\n  token: t\n  projects: \(projects)\n"
        let settings = try await self.withFile(yaml) { try await Settings.load(environment: [:], file: $0) }
        #expect(settings.jira?.projects == ["ENG", "OPS"])
        #expect(settings.jira?.url == "https://example.atlassian.net")
    }

    @Test(
        "that are wrong are named",
        arguments: [
            ["GANTRY_PORT": "70000"], ["GANTRY_PORT": "http"], ["GANTRY_READ_ONLY": "maybe"],
            ["GANTRY_TOOL_NAMES": "camel"], ["LOG_LEVEL": "loud"], ["LOG_FORMAT": "xml"], ["GANTRY_HOST": "0.0.0.0"],
            ["CORS_ORIGINS": "*"], ["CORS_ORIGINS": "https://a.example/path"], ["GANTRY_ALLOWED_HOSTS": "http://a"],
            ["JIRA_TOKEN": "t"],
            ["JIRA_URL": "https://example.atlassian.net", "JIRA_USER": "u"],
        ]
    )
    func wrong(environment: [String: String]) async throws {
        let problems = await self.problems(environment)
        let problem = try #require(problems.first)
        #expect(problems.count == 1)
        #expect(environment.keys.contains(problem.setting) || problem.setting == "JIRA_TOKEN")
        #expect(!problem.message.isEmpty)
    }

    @Test("are all checked at once, and a secret is never shown")
    func allAtOnce() async {
        let problems = await self.problems(
            [
                "GANTRY_PORT": "x", "JIRA_URL": "ftp://a", "JIRA_USER": "u", "JIRA_TOKEN": "very-secret",
                "JIRA_PROJECTS": "eng",
            ]
        )
        #expect(problems.map(\.setting) == ["GANTRY_PORT", "JIRA_PROJECTS", "JIRA_URL"])
        #expect(!"\(SettingsError(problems: problems))".contains("very-secret"))
    }

    @Test("hide secrets in the report")
    func secrets() async throws {
        let settings = try await Settings.load(
            environment: ["JIRA_URL": "https://example.atlassian.net", "JIRA_USER": "u", "JIRA_TOKEN": "very-secret"]
        )
        #expect(settings.jira?.token == "very-secret")
        #expect(settings.report.first { $0.setting == .jiraToken }?.value == "(hidden)")
        #expect(!settings.report.description.contains("very-secret"))
    }

    @Test("name every key of the file that doesn't exist")
    func unknownKeys() async throws {
        let problems = try await self.withFile("gantry:\n  prot: 1\n  host: 127.0.0.1\nother: {a: 1}\n") { file in
            await self.problems([:], file: file)
        }
        #expect(problems.map(\.setting) == ["gantry.prot", "other.a"])
    }

    @Test("say where documents come from and how fresh they have to be")
    func sources() async throws {
        let yaml = """
            sources:
              runbooks: {path: /srv/runbooks/, recrawl: 1h, max_age: 30d}
              handbook: {match: "handbook/**", max_age: 90s}
            log: {level: debug}
            """
        let settings = try await self.withFile(yaml) { try await Settings.load(environment: [:], file: $0) }
        #expect(settings.logLevel == .debug)
        #expect(settings.sources.map(\.name) == ["runbooks", "handbook"])
        #expect(settings.sources[0].path == "/srv/runbooks")
        #expect(settings.sources[0].recrawl == .seconds(3600))
        #expect(settings.sources[0].maximumAge == .seconds(30 * 86_400))
        #expect(settings.sources[0].patterns.map(\.text) == ["/srv/runbooks", "/srv/runbooks/**"])
        #expect(settings.sources[1].path == nil && settings.sources[1].maximumAge == .seconds(90))
        let policy = Application.stalenessPolicy(settings)
        #expect(policy.maximumAge(ofSource: "/srv/runbooks/a/b.md") == TimeInterval(30 * 86_400))
        #expect(policy.maximumAge(ofSource: "handbook/x") == 90)
        #expect(policy.maximumAge(ofSource: "elsewhere") == nil)
    }

    @Test(
        "name what is wrong with a source",
        arguments: [
            ("sources: [a]", "sources"), ("sources: [{path: x}]", "sources"), ("sources: {a: x}", "sources.a"),
            ("sources: {a: {path: /x}}", "sources.a"), ("sources: {a: {max_age: 1d}}", "sources.a"),
            ("sources: {a: {path: /x, recrawl: 1s}}", "sources.a.recrawl"),
            ("sources: {a: {match: x, max_age: soon}}", "sources.a.max_age"),
            ("sources: {a: {match: x, max_age: 0d}}", "sources.a.max_age"),
            ("sources: {a: {match: x, colour: red}}", "sources.a.colour"),
            ("sources: {a: {match: [x]}}", "sources.a.match"),
        ]
    )
    func wrongSources(yaml: String, name: String) async throws {
        let problems = try await self.withFile(yaml) { await self.problems([:], file: $0) }
        #expect(problems.first?.setting == name)
    }

    @Test("name a file that can't be used", arguments: ["a: [", "- 1\n- 2\n", "gantry: {port: {a: 1}}"])
    func brokenFile(yaml: String) async throws {
        let problems = try await self.withFile(yaml) { await self.problems([:], file: $0) }
        #expect(!problems.isEmpty)
    }

    @Test("name a file that isn't there")
    func missingFile() async {
        let problems = await self.problems([:], file: "/nonexistent/gantry.yaml")
        #expect(problems.map(\.setting) == ["/nonexistent/gantry.yaml"])
    }

    @Test("allow other machines only when told to", arguments: ["0.0.0.0", "::", "192.168.1.2", "gantry.example"])
    func insecure(host: String) async throws {
        #expect(await self.problems(["GANTRY_HOST": host]).map(\.setting) == ["GANTRY_HOST"])
        let settings = try await Settings.load(commandLine: [.insecure: "true"], environment: ["GANTRY_HOST": host])
        #expect(settings.host == host)
    }

    @Test("know this machine's own addresses", arguments: ["127.0.0.1", "127.8.9.1", "::1", "[::1]", "LOCALHOST"])
    func loopback(host: String) {
        #expect(Loopback.contains(host: host))
    }

    @Test("don't send a Jira token unencrypted to another machine")
    func plainJira() async throws {
        #expect(
            await self.problems(["JIRA_URL": "http://jira.example", "JIRA_USER": "u", "JIRA_TOKEN": "t"]).map(\.setting)
                == ["JIRA_URL"]
        )
        let settings = try await Settings.load(environment: [
            "JIRA_URL": "http://127.0.0.1:9", "JIRA_USER": "u", "JIRA_TOKEN": "t",
        ])
        #expect(settings.jira?.url == "http://127.0.0.1:9")
    }

    @Test("refuse credentials with control characters by their names, without showing them")
    func brokenCredentials() async throws {
        let problems = await self.problems([
            "JIRA_URL": "https://example.atlassian.net", "JIRA_USER": "u\u{7}ser", "JIRA_TOKEN": "very\nsecret",
        ])
        #expect(problems.map(\.setting) == ["JIRA_USER", "JIRA_TOKEN"])
        #expect(problems.allSatisfy { !"\($0)".contains("secret") && !"\($0)".contains("ser\"") })
    }

    @Test("An embedding service needs a model and a dimension, and a key only travels encrypted")
    func embeddings() async throws {
        let all = [
            "EMBEDDINGS_URL": "https://api.example.com/v1/", "EMBEDDINGS_MODEL": "m",
            "EMBEDDINGS_API_KEY": "very-secret",
            "EMBEDDINGS_DIMENSION": "1536", "EMBEDDINGS_MAX_TOKENS": "8191",
        ]
        let settings = try await Settings.load(environment: all)
        let service = try #require(settings.embeddings)
        #expect(service.dimension == 1536)
        #expect(service.maximumTokens == 8191)
        #expect(service.apiKey == "very-secret")
        #expect(settings.report.first { $0.setting == .embeddingsAPIKey }?.value == "(hidden)")
        let exact = try await Settings.load(environment: ["EMBEDDINGS_PRECISION": "fp32"])
        #expect(exact.report.first { $0.setting == .embeddingsPrecision }?.value == "fp32")
        for (name, value, expected) in [
            ("EMBEDDINGS_MODEL", nil, "EMBEDDINGS_MODEL"), ("EMBEDDINGS_DIMENSION", nil, "EMBEDDINGS_DIMENSION"),
            ("EMBEDDINGS_DIMENSION", "0", "EMBEDDINGS_DIMENSION"),
            ("EMBEDDINGS_MAX_TOKENS", "x", "EMBEDDINGS_MAX_TOKENS"),
            ("EMBEDDINGS_API_KEY", "two words", "EMBEDDINGS_API_KEY"),
            ("EMBEDDINGS_URL", "http://api.example.com/v1", "EMBEDDINGS_URL"),
            ("EMBEDDINGS_URL", "api", "EMBEDDINGS_URL"),
            ("EMBEDDINGS_PRECISION", "double", "EMBEDDINGS_PRECISION"),
        ] as [(String, String?, String)] {
            var environment = all
            environment[name] = value
            #expect(await self.problems(environment).map(\.setting) == [expected], "\(name) \(value ?? "-")")
        }
        #expect(await self.problems(["EMBEDDINGS_MODEL": "m"]).map(\.setting) == ["EMBEDDINGS_MODEL"])
    }
}
