import MCPServer

/// The name of something that agents work on, such as `jira:ENG-12`.
enum WorkName {
    static let maximumLength = 200
    static let description = """
        What is worked on: any name that all agents use for it, such as jira:ENG-12, repo:acme/billing or \
        docs/runbooks/backup.md
        """

    /// What is wrong with a name, or nothing.
    static func problem(_ name: String) -> String? {
        let isFine = name.unicodeScalars.allSatisfy { scalar in
            scalar.properties.isWhitespace == false && scalar.properties.generalCategory != .control
                && scalar.properties.generalCategory != .format
        }
        return isFine ? nil : "Expected a name without white space and control characters."
    }

    /// What a policy can limit of the thing that is named: a Jira project, a repository or a job.
    static func targets(of name: String) -> [AccessTarget] {
        for (prefix, kind) in [("jira:", AccessTarget.Kind.jiraProject), ("repo:", .repository), ("job:", .job)]
        where name.hasPrefix(prefix) {
            var rest = name.dropFirst(prefix.count)
            if kind == .jiraProject { rest = rest.prefix { $0 != "-" } }
            return [AccessTarget(kind, String(rest))]
        }
        return []
    }

    /// Whether somebody's permission reaches what is named.
    static func isReachable(_ name: String, _ reach: AccessReach) -> Bool {
        self.targets(of: name).allSatisfy { target in target.name.map { reach.contains(target.kind, $0) } ?? true }
    }

    /// The address of the resource that says how the work stands.
    static func uri(of name: String) -> String {
        var uri = "work://"
        for byte in name.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"), UInt8(ascii: "/"), UInt8(ascii: ":"):
                uri.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                let digits = String(byte, radix: 16, uppercase: true)
                uri += byte < 16 ? "%0\(digits)" : "%\(digits)"
            }
        }
        return uri
    }
}
