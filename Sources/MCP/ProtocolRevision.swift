/// What a protocol revision can do, so that code asks for a feature and never compares version strings.
public struct ProtocolFeatures: OptionSet, Sendable, Hashable {
    public let rawValue: UInt32

    public init(rawValue: UInt32) {
        self.rawValue = rawValue
    }

    /// The connection starts with `initialize` and keeps a session.
    public static let initializeHandshake = Self(rawValue: 1 << 0)
    /// Several JSON-RPC messages may arrive as one array.
    public static let batching = Self(rawValue: 1 << 1)
    /// Tools carry `annotations`.
    public static let toolAnnotations = Self(rawValue: 1 << 2)
    /// Content may be audio.
    public static let audioContent = Self(rawValue: 1 << 3)
    /// Progress notifications may carry a message.
    public static let progressMessage = Self(rawValue: 1 << 4)
    /// Tools declare `outputSchema` and answer with `structuredContent` that is an object.
    public static let structuredContent = Self(rawValue: 1 << 5)
    /// Tools, prompts and resources carry a `title`.
    public static let titles = Self(rawValue: 1 << 6)
    /// Content may link to a resource.
    public static let resourceLinks = Self(rawValue: 1 << 7)
    /// HTTP requests carry the `MCP-Protocol-Version` header.
    public static let versionHeader = Self(rawValue: 1 << 8)
    /// `Implementation`, tools, prompts and resources carry icons and more metadata.
    public static let icons = Self(rawValue: 1 << 9)
    /// Each request stands alone: its envelope is in `params._meta`, results carry `resultType`.
    public static let statelessEnvelope = Self(rawValue: 1 << 10)
    /// Lists, `server/discover` and resources carry `ttlMs` and `cacheScope`.
    public static let cachingHints = Self(rawValue: 1 << 11)
    /// HTTP requests repeat method and name in headers, for routing.
    public static let routingHeaders = Self(rawValue: 1 << 12)
    /// `structuredContent` and `outputSchema` may be any JSON, not only objects.
    public static let anyStructuredContent = Self(rawValue: 1 << 13)
    /// `ping` exists.
    public static let ping = Self(rawValue: 1 << 14)
    /// `logging/setLevel` exists, for a whole session.
    public static let sessionLogLevel = Self(rawValue: 1 << 15)
    /// The server may send requests to the client: sampling, roots, and what ``elicitation`` adds.
    public static let serverRequests = Self(rawValue: 1 << 16)
    /// The user can be asked to fill in a form.
    public static let elicitation = Self(rawValue: 1 << 17)
    /// The user can be sent to a web page; forms know titled choices, several choices and defaults of all types.
    public static let urlElicitation = Self(rawValue: 1 << 18)
    /// Sampling may offer tools to the model.
    public static let samplingTools = Self(rawValue: 1 << 19)
    /// Completion is a capability of its own.
    public static let completionCapability = Self(rawValue: 1 << 20)
    /// Completion is told the arguments that are filled in already.
    public static let completionContext = Self(rawValue: 1 << 21)
    /// `resources/subscribe` exists, for a whole session.
    public static let resourceSubscriptions = Self(rawValue: 1 << 22)
    /// A missing resource has an error code of its own, `-32002`.
    public static let resourceNotFoundCode = Self(rawValue: 1 << 23)
    /// An event stream begins with an event without data, so that it can be resumed from the start, and may be closed
    /// by the server before the answer.
    public static let resumableFromStart = Self(rawValue: 1 << 24)
    /// Tasks as an experimental part of the core: `params.task`, `tasks/result`, `tasks/list`.
    public static let coreTasks = Self(rawValue: 1 << 25)
    /// Tasks as an extension.
    public static let tasksExtension = Self(rawValue: 1 << 26)
    /// A request may end with questions, and is sent again with the answers (MRTR).
    public static let multiRoundTrip = Self(rawValue: 1 << 27)
    /// `subscriptions/listen` exists.
    public static let listen = Self(rawValue: 1 << 28)
}

/// A revision of the Model Context Protocol, named by its date.
public struct ProtocolRevision: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// The name on the wire, such as `2026-07-28`.
    public let name: String
    /// What this revision can do.
    public let features: ProtocolFeatures

    public static let v2024_11_05 = Self(
        name: "2024-11-05",
        features: [
            .initializeHandshake, .ping, .sessionLogLevel, .serverRequests, .resourceSubscriptions,
            .resourceNotFoundCode,
        ]
    )
    public static let v2025_03_26 = Self(
        name: "2025-03-26",
        features: v2024_11_05.features.union([
            .batching, .toolAnnotations, .audioContent, .progressMessage, .completionCapability,
        ])
    )
    public static let v2025_06_18 = Self(
        name: "2025-06-18",
        features: v2025_03_26.features.subtracting(.batching)
            .union([
                .structuredContent, .titles, .resourceLinks, .versionHeader, .elicitation, .completionContext,
            ])
    )
    public static let v2025_11_25 = Self(
        name: "2025-11-25",
        features: v2025_06_18.features.union([
            .icons, .urlElicitation, .samplingTools, .resumableFromStart, .coreTasks,
        ])
    )
    public static let v2026_07_28 = Self(
        name: "2026-07-28",
        features: v2025_11_25.features
            .subtracting([
                .initializeHandshake, .ping, .sessionLogLevel, .serverRequests, .resourceSubscriptions,
                .resourceNotFoundCode, .resumableFromStart, .coreTasks,
            ])
            .union([
                .statelessEnvelope, .cachingHints, .routingHeaders, .anyStructuredContent, .tasksExtension,
                .multiRoundTrip, .listen,
            ])
    )

    /// Every revision, oldest first.
    public static let all: [Self] = [.v2024_11_05, .v2025_03_26, .v2025_06_18, .v2025_11_25, .v2026_07_28]

    /// The revisions that begin with `initialize`, oldest first.
    public static let legacy: [Self] = all.filter { $0.features.contains(.initializeHandshake) }

    /// The revisions whose requests each carry their own envelope, oldest first.
    public static let modern: [Self] = all.filter { $0.features.contains(.statelessEnvelope) }

    /// The revision with the given name, if there is one.
    public static func named(_ name: String) -> Self? {
        all.first { $0.name == name }
    }

    /// The revision to answer an `initialize` with: the one asked for, else the newest that has `initialize`.
    ///
    /// Specification: 2025-11-25, basic/lifecycle, "Version Negotiation".
    public static func negotiated(for requested: String) -> Self {
        legacy.first { $0.name == requested } ?? .v2025_11_25
    }

    public func supports(_ feature: ProtocolFeatures) -> Bool {
        self.features.contains(feature)
    }

    public var description: String { self.name }

    public static func < (left: Self, right: Self) -> Bool {
        left.name < right.name
    }
}
