public import JSON
public import MCP

/// Something that clients can read: a file, a page, a record.
///
/// Specification: 2026-07-28, server/resources.
public protocol Resource: Sendable {
    /// Its address, such as `file:///etc/hosts` or `build://main/log`.
    var uri: String { get }
    /// What programs call it.
    var name: String { get }
    /// What people call it.
    var title: String? { get }
    /// What it holds.
    var description: String? { get }
    /// Its media type, if it is known.
    var mimeType: String? { get }
    /// In bytes, if it is known.
    var size: Int? { get }
    /// Whom it is for, and how much it matters.
    var annotations: Annotations? { get }
    /// Pictures for people.
    var icons: [Icon] { get }
    /// What else clients are told about it, by reverse-DNS name.
    var meta: JSONObject { get }
    /// What a principal needs to read it, and to see it at all.
    var permission: Permission { get }

    /// Reads it.
    ///
    /// - Throws: ``ToolError`` with `not_found` if it is not there any more.
    func read(_ context: HandlerContext) async throws -> ResourceContents
}

extension Resource {
    public var title: String? { nil }
    public var description: String? { nil }
    /// Its media type, if it is not that of the resource.
    public var mimeType: String? { nil }
    public var size: Int? { nil }
    public var annotations: Annotations? { nil }
    public var icons: [Icon] { [] }
    /// What else clients are told about it, by reverse-DNS name.
    public var meta: JSONObject { [:] }
    public var permission: Permission { "mcp:read" }
}

/// A family of resources whose addresses follow a template.
///
/// Its arguments are the variables of the template, all strings that the client fills in.
///
/// Specification: 2026-07-28, server/resources, "Resource Templates"; RFC 6570, the forms `{name}` and `{+name}`.
public protocol ResourceTemplate: Sendable {
    /// The variables of the template.
    associatedtype Arguments: ToolArguments

    /// Such as `build://{branch}/log`. Variables have the wire names of the arguments.
    static var uriTemplate: String { get }
    /// What programs call the family.
    static var name: String { get }
    /// What people call the family.
    static var title: String? { get }
    /// What the resources of the family hold.
    static var description: String? { get }
    /// The media type that they have in common, if they have one.
    static var mimeType: String? { get }
    /// Whom they are for, and how much they matter.
    static var annotations: Annotations? { get }
    /// Pictures for people.
    static var icons: [Icon] { get }
    /// What else clients are told about the family, by reverse-DNS name.
    static var meta: JSONObject { get }
    /// What a principal needs to read one, and to see the family at all.
    static var permission: Permission { get }

    /// Reads one of the family.
    ///
    /// - Throws: ``ToolError`` with `not_found` if there is none.
    func read(_ arguments: Arguments, _ context: HandlerContext) async throws -> ResourceContents

    /// The resources of the family that `resources/list` shows, page by page; none by default.
    ///
    /// - Parameters:
    ///   - cursor: ``ResourcePage/next`` of the page before, or nothing for the first page.
    ///   - limit: The most resources of the page, at least 1.
    ///   - context: On whose behalf they are listed; what the principal may not read is left out.
    /// - Returns: The page. One with ``ResourcePage/next`` may be short, so that a filter can't make it run long.
    /// - Throws: ``ToolError`` if they can't be listed now.
    func list(after cursor: String?, limit: Int, _ context: HandlerContext) async throws -> ResourcePage

    /// Suggests values for a variable of the template, beside those that its argument suggests by itself.
    ///
    /// - Parameters:
    ///   - variable: The wire name of the variable.
    ///   - typed: What is typed so far.
    ///   - context: On whose behalf; what the principal may not read is not suggested.
    /// - Returns: The values; nothing for variables without suggestions of this kind.
    /// - Throws: ``ToolError`` if they can't be found now.
    func suggestions(
        for variable: String,
        typed: String,
        _ context: HandlerContext
    ) async throws -> Suggestions?

    /// Whether somebody may hear that one of the family changes; so by default.
    ///
    /// It says the same as ``read(_:_:)``: a subscription must not tell of what can't be read.
    func mayHear(of arguments: Arguments, _ context: HandlerContext) async throws -> Bool
}

/// Values that are suggested while something is typed.
public struct Suggestions: Sendable {
    /// The values, the best first; at most 100 are sent.
    public var values: [String]
    /// Whether there are more than these.
    public var hasMore: Bool

    public init(_ values: [String], hasMore: Bool = false) {
        self.values = values
        self.hasMore = hasMore
    }
}

/// Some of the resources of a family.
public struct ResourcePage: Sendable {
    public var resources: [ResourceDefinition]
    /// Where the next page begins, or nothing after the last one.
    public var next: String?

    public init(_ resources: [ResourceDefinition], next: String? = nil) {
        self.resources = resources
        self.next = next
    }
}

extension ResourceTemplate {
    public static var title: String? { nil }
    public static var description: String? { nil }
    public static var mimeType: String? { nil }
    public static var annotations: Annotations? { nil }
    public static var icons: [Icon] { [] }
    public static var meta: JSONObject { [:] }
    public static var permission: Permission { "mcp:read" }

    public func list(after cursor: String?, limit: Int, _ context: HandlerContext) async throws -> ResourcePage {
        ResourcePage([])
    }

    public func suggestions(
        for variable: String,
        typed: String,
        _ context: HandlerContext
    ) async throws -> Suggestions? { nil }

    public func mayHear(of arguments: Arguments, _ context: HandlerContext) async throws -> Bool { true }
}

/// What reading a resource gives.
public struct ResourceContents: Sendable {
    /// One part of the contents.
    ///
    /// What it does not say is taken from the resource.
    public struct Part: Sendable {
        /// Its address, if it is not that of the resource.
        public var uri: String?
        public var mimeType: String?
        /// Text, or bytes as base64.
        public var contents: EmbeddedResource.Contents
        public var meta: JSONObject

        public init(
            _ contents: EmbeddedResource.Contents,
            uri: String? = nil,
            mimeType: String? = nil,
            meta: JSONObject = [:]
        ) {
            self.uri = uri
            self.mimeType = mimeType
            self.contents = contents
            self.meta = meta
        }
    }

    /// Several for a directory, else one.
    public var parts: [Part]

    public init(_ parts: [Part]) {
        self.parts = parts
    }

    /// Contents of one part, a text.
    public static func text(_ text: String, meta: JSONObject = [:]) -> Self {
        Self([Part(.text(text), meta: meta)])
    }

    /// Contents of one part, bytes.
    public static func bytes(_ bytes: [UInt8]) -> Self {
        Self([Part(.blob(Base64.encode(bytes)))])
    }
}
