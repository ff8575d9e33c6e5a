/// Something outside of the server that a call reads or changes, such as one Jira project, so that a policy can say who
/// may reach it.
///
/// Tools name their targets from their arguments (``Tool/targets(_:)``), and narrow what they list with
/// ``ToolContext/reach``.
public struct AccessTarget: Sendable, Hashable, CustomStringConvertible {
    /// What kind of thing it is.
    ///
    /// The raw value is the key in a policy file.
    public struct Kind: Sendable, Hashable, CustomStringConvertible {
        public let rawValue: String

        public init(_ rawValue: String) {
            self.rawValue = rawValue
        }

        /// A Jira project, by its key: `ENG`.
        public static let jiraProject = Self("jira_projects")
        /// A repository, by its path: `acme/billing`.
        public static let repository = Self("repositories")
        /// A job or workflow of a CI/CD system, by its path: `acme/billing/deploy.yml`.
        public static let job = Self("jobs")
        /// A label that documents carry: `finance`.
        public static let documentLabel = Self("document_labels")

        public var description: String { self.rawValue }
    }

    public var kind: Kind
    /// Which one; nothing stands for all of the kind.
    public var name: String?

    public init(_ kind: Kind, _ name: String) {
        self.kind = kind
        self.name = name
    }

    private init(all kind: Kind) {
        self.kind = kind
    }

    /// Everything of a kind: what a tool reaches that can't narrow its work.
    public static func all(_ kind: Kind) -> Self { Self(all: kind) }

    public var description: String { "\(self.kind) \(self.name ?? "*")" }
}

/// How far the permission of a call reaches, for tools that have to narrow what they return.
public struct AccessReach: Sendable {
    /// What is reachable of one kind.
    public struct Limit: Sendable {
        /// One of these has to fit; nothing means that any name does.
        var allowed: [NamePattern]?
        /// None of these may fit.
        var denied: [NamePattern]

        public init(allowed: [NamePattern]?, denied: [NamePattern] = []) {
            self.allowed = allowed
            self.denied = denied
        }

        func contains(_ name: String) -> Bool {
            guard self.denied.contains(where: { $0.matches(name) }) == false else { return false }
            return self.allowed?.contains { $0.matches(name) } ?? true
        }
    }

    private let limits: [AccessTarget.Kind: Limit]

    /// - Parameter limits: The kinds of which not everything is reachable.
    public init(limits: [AccessTarget.Kind: Limit]) {
        self.limits = limits
    }

    /// Everything.
    public static let everything = Self(limits: [:])

    /// Nothing of any kind that policies have limits for.
    static let nothing = Self(
        limits: Dictionary(
            uniqueKeysWithValues: [AccessTarget.Kind.jiraProject, .repository, .job, .documentLabel].map {
                ($0, Limit(allowed: []))
            }
        )
    )

    /// Whether one thing is reachable.
    public func contains(_ kind: AccessTarget.Kind, _ name: String) -> Bool {
        self.limits[kind]?.contains(name) ?? true
    }

    /// Whether everything of a kind is reachable.
    public func isUnlimited(_ kind: AccessTarget.Kind) -> Bool {
        self.limits[kind].map { $0.allowed == nil && $0.denied.isEmpty } ?? true
    }

    /// The only names of a kind that are reachable; nothing means that any may be.
    ///
    /// It is exact for kinds whose limits are names without wildcards, as those of document labels are.
    public func names(of kind: AccessTarget.Kind) -> Set<String>? {
        guard let limit = self.limits[kind], let allowed = limit.allowed,
            allowed.contains(where: { $0.text == "*" }) == false
        else { return nil }
        return Set(allowed.map(\.text).filter(limit.contains))
    }
}

/// A name with wildcards: `*` stands for any characters, `?` for one.
public struct NamePattern: Sendable, Hashable, CustomStringConvertible {
    public let text: String
    private let bytes: [UInt8]

    public init(_ text: String) {
        self.text = text
        self.bytes = Array(text.utf8)
    }

    /// Whether the pattern has no wildcards.
    public var isExact: Bool { self.bytes.allSatisfy { $0 != UInt8(ascii: "*") && $0 != UInt8(ascii: "?") } }

    /// Whether a name fits, from its beginning to its end; upper and lower case differ.
    ///
    /// The time is bounded by the product of both lengths.
    public func matches(_ name: String) -> Bool {
        let name = Array(name.utf8)
        var position = 0
        var index = 0
        // Where to go on if what follows the last star does not fit.
        var star: (index: Int, position: Int)?
        while position < name.count {
            if index < self.bytes.count, self.bytes[index] == UInt8(ascii: "*") {
                star = (index, position)
                index += 1
            } else if index < self.bytes.count, self.bytes[index] == name[position] {
                index += 1
                position += 1
            } else if index < self.bytes.count, self.bytes[index] == UInt8(ascii: "?") {
                index += 1
                position += 1
                // One character, which may have several bytes.
                while position < name.count, name[position] & 0xC0 == 0x80 { position += 1 }
            } else if let last = star {
                star = (last.index, last.position + 1)
                index = last.index + 1
                position = last.position + 1
            } else {
                return false
            }
        }
        return self.bytes[index...].allSatisfy { $0 == UInt8(ascii: "*") }
    }

    public var description: String { self.text }
}
