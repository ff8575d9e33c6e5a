public import Knowledge
import Yams

/// Where documents come from, and how fresh they have to be: an entry of `sources` in the configuration file.
///
/// ```yaml
/// sources:
///   runbooks:
///     path: /srv/runbooks      # a file or directory that is read again
///     recrawl: 1h              # how often
///     match: "/srv/runbooks/**"  # which documents are meant; without it, those below path
///     max_age: 30d             # older ones are called stale
/// ```
public struct SourceSettings: Sendable, Hashable {
    /// What the source is called in logs.
    public var name: String
    /// A file or directory, or nothing if the source isn't read again.
    public var path: String?
    /// How often it is read again.
    public var recrawl: Duration?
    /// Patterns for the sources of its documents, one of which has to match.
    public var patterns: [GlobPattern]
    /// The age from which on its documents are stale.
    public var maximumAge: Duration?

    /// How many sources there may be.
    static let maximumCount = 100
    /// The shortest time between two readings.
    static let shortestRecrawl = Duration.seconds(10)

    /// Reads the sources of a configuration file.
    ///
    /// - Parameters:
    ///   - node: What stands under `sources`.
    ///   - problems: Takes what is wrong with it.
    /// - Returns: The sources that are right.
    static func all(in node: Node, _ problems: inout [SettingsError.Problem]) -> [SourceSettings] {
        func reject(_ name: String, _ message: String) {
            problems.append(.init(setting: name, message: message, origin: .file))
        }
        guard let mapping = node.mapping, mapping.count <= Self.maximumCount else {
            reject(
                "sources",
                "This must be a mapping of at most \(Self.maximumCount) names, such as runbooks, to sources."
            )
            return []
        }
        return mapping.compactMap { key, value in
            let name = "sources.\(key.string ?? "?")"
            guard let members = value.mapping else {
                reject(name, "This must be a mapping with path and recrawl, or match and max_age.")
                return nil
            }
            var texts: [String: String] = [:]
            for (member, value) in members {
                let member = member.string ?? "?"
                guard ["path", "recrawl", "match", "max_age"].contains(member) else {
                    reject("\(name).\(member)", "There is no such setting.")
                    continue
                }
                texts[member] = value.string
                if value.string == nil { reject("\(name).\(member)", "This must be a text.") }
            }
            func duration(_ member: String) -> Duration? {
                guard let text = texts[member] else { return nil }
                if let duration = Self.duration(text) { return duration }
                reject("\(name).\(member)", "“\(text)” is not a time such as 90s, 15m, 12h or 30d.")
                return nil
            }
            let path = texts["path"].map { $0.count > 1 && $0.hasSuffix("/") ? String($0.dropLast()) : $0 }
            let recrawl = duration("recrawl")
            if (path == nil) != (texts["recrawl"] == nil) {
                reject(name, "path and recrawl go together: what is read again, and how often.")
            }
            if let recrawl, recrawl < Self.shortestRecrawl {
                reject("\(name).recrawl", "This must be at least 10s.")
            }
            // A path may be that of a file or of a directory.
            let wanted = texts["match"].map { [$0] } ?? path.map { [$0, "\($0)/**"] } ?? []
            let patterns = wanted.compactMap { try? GlobPattern($0) }
            guard !patterns.isEmpty, patterns.count == wanted.count else {
                reject(name, "Say which documents are meant: path, or match with a pattern such as docs/**.")
                return nil
            }
            return SourceSettings(
                name: key.string ?? "?",
                path: path,
                recrawl: recrawl,
                patterns: patterns,
                maximumAge: duration("max_age")
            )
        }
    }

    /// A number and a unit.
    private static func duration(_ text: String) -> Duration? {
        guard let unit = text.last, let number = Int(text.dropLast()), (1...100_000).contains(number) else {
            return nil
        }
        switch unit {
        case "s": return .seconds(number)
        case "m": return .seconds(number * 60)
        case "h": return .seconds(number * 3600)
        case "d": return .seconds(number * 86_400)
        default: return nil
        }
    }
}
