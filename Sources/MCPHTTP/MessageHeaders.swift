import HTTPTypes
import Hummingbird
import MCP

extension HTTPField.Name {
    private static func named(_ name: String) -> Self {
        guard let field = Self(name) else { preconditionFailure("\(name) is no header name") }
        return field
    }

    static let mcpProtocolVersion = named("MCP-Protocol-Version")
    static let mcpSessionID = named("Mcp-Session-Id")
    static let mcpMethod = named("Mcp-Method")
    static let mcpName = named("Mcp-Name")
    static let lastEventID = named("Last-Event-ID")
    static let xAccelBuffering = named("X-Accel-Buffering")
    static let xRequestID = named("X-Request-Id")
}

/// The headers by which a message is read and routed.
///
/// They are found in one pass: to look them up one after the other costs more than to parse a small body. Values of a
/// header that is there several times are joined, as `HTTPFields` joins them.
struct MessageHeaders {
    /// All headers, for what is rarely asked.
    let fields: HTTPFields
    private(set) var accept: String?
    private(set) var contentLength: String?
    private(set) var contentType: String?
    private(set) var method: String?
    private(set) var name: String?
    private(set) var origin: String?
    private(set) var protocolVersion: String?
    private(set) var sessionID: String?
    /// Whether the client wants anything of the connection but that it is kept, or sends its body in another way.
    private(set) var wantsMoreOfConnection = false
    private var givenRequestID: String?

    init(_ fields: HTTPFields) {
        self.fields = fields
        for field in fields {
            switch field.name {
            case .accept: Self.add(field, to: &self.accept)
            case .connection where field.value.lowercased() == "keep-alive": break
            case .connection, .expect, .transferEncoding: self.wantsMoreOfConnection = true
            case .contentLength: Self.add(field, to: &self.contentLength)
            case .contentType: Self.add(field, to: &self.contentType)
            case .mcpMethod: Self.add(field, to: &self.method)
            case .mcpName: Self.add(field, to: &self.name)
            case .mcpProtocolVersion: Self.add(field, to: &self.protocolVersion)
            case .mcpSessionID: Self.add(field, to: &self.sessionID)
            case .origin: Self.add(field, to: &self.origin)
            case .xRequestID: Self.add(field, to: &self.givenRequestID)
            default: break
            }
        }
    }

    private static func add(_ field: HTTPField, to value: inout String?) {
        value = if let value { "\(value), \(field.value)" } else { field.value }
    }

    /// The revision that the header names, if this server knows it.
    var revision: ProtocolRevision? { self.protocolVersion.flatMap(ProtocolRevision.named) }

    /// The id under which the log knows the request.
    var requestID: String { Request.id(given: self.givenRequestID) }

    // MARK: What is sent and wanted

    private var hasJSONBody: Bool {
        guard let type = self.contentType else { return false }
        if type == "application/json" { return true }
        return Substring(type.lowercased()).withoutParameters == "application/json"
    }

    /// Why a message can't be read or answered, if it can't.
    var refusal: Response? {
        guard self.hasJSONBody else {
            return .error(
                MCPError(.invalidRequest, "The Content-Type of a message is application/json."),
                status: .unsupportedMediaType
            )
        }
        // What most clients send needs no reading.
        if self.accept == "application/json, text/event-stream" { return nil }
        // Clients before 2026-07-28 that take only one of them are answered as far as that goes.
        let isAcceptable =
            self.revision?.supports(.statelessEnvelope) == true
            ? self.accepts("application/json") && self.accepts("text/event-stream")
            : self.accepts("application/json") || self.accepts("text/event-stream")
        return isAcceptable ? nil : .notAcceptable("Accept has to list application/json and text/event-stream.")
    }

    /// Whether the client takes a media type.
    ///
    /// Clients that say nothing take anything.
    func accepts(_ type: String) -> Bool {
        guard let accept = self.accept else { return true }
        let family = type.prefix { $0 != "/" } + "/*"
        // Bytes are looked at, as below.
        return accept.lowercased().utf8.split(separator: UInt8(ascii: ",")).contains { range in
            let parts = range.split(separator: UInt8(ascii: ";")).map { part in
                Substring(part).trimming { $0 == " " || $0 == "\t" }
            }
            guard let name = parts.first, name == type || name == family || name == "*/*" else { return false }
            return parts.dropFirst().contains { Self.isZeroQuality($0) } == false
        }
    }

    /// Whether a parameter says that a media type is not wanted: `q=0`, `q=0.0` and so on.
    private static func isZeroQuality(_ parameter: Substring) -> Bool {
        guard parameter.hasPrefix("q=") else { return false }
        return Double(parameter.dropFirst(2)) == 0
    }
}

extension Substring {
    /// A media type without what follows a semicolon.
    ///
    /// Bytes are looked at: as characters, a Greek question mark equals a semicolon, and one with an accent does not.
    fileprivate var withoutParameters: Substring {
        Substring(self.utf8.prefix { $0 != UInt8(ascii: ";") }).trimming { $0 == " " }
    }
}
