public import JSON
public import MCP

/// Something that clients can read: a file, a page, a record.
///
/// Specification: 2026-07-28, server/resources.
public protocol Resource: Sendable {
    var uri: String { get }
    /// What programs call it.
    var name: String { get }
    /// What people call it.
    var title: String? { get }
    var description: String? { get }
    var mimeType: String? { get }
    /// In bytes, if it is known.
    var size: Int? { get }
    var annotations: Annotations? { get }
    var icons: [Icon] { get }
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
    public var mimeType: String? { nil }
    public var size: Int? { nil }
    public var annotations: Annotations? { nil }
    public var icons: [Icon] { [] }
    public var meta: JSONObject { [:] }
    public var permission: Permission { "mcp:read" }
}

/// A family of resources whose addresses follow a template.
///
/// Its arguments are the variables of the template, all strings that the client fills in.
///
/// Specification: 2026-07-28, server/resources, "Resource Templates"; RFC 6570, the forms `{name}` and `{+name}`.
public protocol ResourceTemplate: Sendable {
    associatedtype Arguments: ToolArguments

    /// Such as `build://{branch}/log`. Variables have the wire names of the arguments.
    static var uriTemplate: String { get }
    static var name: String { get }
    static var title: String? { get }
    static var description: String? { get }
    static var mimeType: String? { get }
    static var annotations: Annotations? { get }
    static var icons: [Icon] { get }
    static var meta: JSONObject { get }
    static var permission: Permission { get }

    /// Reads one of the family.
    ///
    /// - Throws: ``ToolError`` with `not_found` if there is none.
    func read(_ arguments: Arguments, _ context: HandlerContext) async throws -> ResourceContents
}

extension ResourceTemplate {
    public static var title: String? { nil }
    public static var description: String? { nil }
    public static var mimeType: String? { nil }
    public static var annotations: Annotations? { nil }
    public static var icons: [Icon] { [] }
    public static var meta: JSONObject { [:] }
    public static var permission: Permission { "mcp:read" }
}

/// What reading a resource gives.
public struct ResourceContents: Sendable {
    /// One part of the contents.
    ///
    /// What it does not say is taken from the resource.
    public struct Part: Sendable {
        public var uri: String?
        public var mimeType: String?
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

    public static func text(_ text: String, meta: JSONObject = [:]) -> Self {
        Self([Part(.text(text), meta: meta)])
    }

    public static func bytes(_ bytes: [UInt8]) -> Self {
        Self([Part(.blob(Base64.encode(bytes)))])
    }
}
