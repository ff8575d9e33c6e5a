import CoordinationTools
import JiraTools
import KnowledgeTools
import KubernetesTools
import MCPServer

/// Settings of how much may be called.
extension Settings {
    /// The tools that there can be; other settings say which of them there are.
    static let tools: [ToolName] = [
        RetrieveBacklog.name, GenerateManifest.name, KnowledgeQuery.name, GetDocument.name, ListDocuments.name,
        AddDocument.name, DeleteDocument.name, SendFeedback.name, KnowledgeQuality.name, QueryMetadata.name,
        ClaimWork.name, RenewWork.name, ReleaseWork.name, HandOffWork.name, ListWork.name,
    ]

    static func limits(_ reader: inout SettingsReader) -> CallLimits {
        let expected = "a limit such as 10/s burst=20 concurrent=4 5000/day"
        var limits = CallLimits()
        limits.principal = reader.value(.limitsPrincipal, default: .init(), expected: expected, convert: Self.limit)
        limits.total = reader.value(.limitsTotal, default: .init(), expected: expected, convert: Self.limit)
        limits.tools = reader.value(
            .limitsTools,
            default: [:],
            expected: "a list of limits such as jira.retrieve_backlog: 2/s; knowledge.query: concurrent=8"
        ) { text in
            var tools: [String: CallLimits.Limit] = [:]
            for entry in text.split(separator: ";") {
                let parts = entry.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
                guard parts.count == 2, let limit = Self.limit(String(parts[1])) else { return nil }
                let name = String(parts[0].filter { !$0.isWhitespace })
                guard !name.isEmpty, tools.updateValue(limit, forKey: name) == nil else { return nil }
            }
            return tools
        }
        let names = Self.tools.map(\.rawValue)
        for name in limits.tools.keys.sorted() where names.contains(name) == false {
            reader.reject(
                .limitsTools,
                "There is no tool “\(name)”. With dots, the names are \(names.joined(separator: ", "))."
            )
        }
        return limits
    }

    /// Reads `10/s burst=20 concurrent=4 5000/day`, of which each part may be missing; nothing if it isn't right.
    private static func limit(_ text: String) -> CallLimits.Limit? {
        var perSecond: Double?
        var burst: Int?
        var limit = CallLimits.Limit()
        for word in text.split(whereSeparator: { $0.isWhitespace || $0 == "," }) {
            if word.hasSuffix("/s"), let number = Double(word.dropLast(2)), number > 0, number <= 1_000_000 {
                perSecond = number
            } else if word.hasSuffix("/day"), let number = Self.count(word.dropLast(4)) {
                limit.perDay = number
            } else if word.hasPrefix("burst="), let number = Self.count(word.dropFirst(6)) {
                burst = number
            } else if word.hasPrefix("concurrent="), let number = Self.count(word.dropFirst(11)) {
                limit.concurrent = number
            } else {
                return nil
            }
        }
        guard let perSecond else { return burst == nil && limit != .init() ? limit : nil }
        limit.rate = RateLimit(burst: burst ?? max(1, Int(perSecond.rounded(.up))), perSecond: perSecond)
        return limit
    }

    private static func count(_ text: Substring) -> Int? {
        Int(text).flatMap { (1...1_000_000_000).contains($0) ? $0 : nil }
    }
}
