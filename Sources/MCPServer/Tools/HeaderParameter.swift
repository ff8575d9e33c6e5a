public import JSON
import MCP

/// An argument that HTTP clients repeat in a header, so that proxies can route by it.
///
/// Specification: 2026-07-28, server/tools, "x-mcp-header"; basic/transports/streamable-http.
public struct HeaderParameter: Sendable {
    /// What an argument has to be to stand in a header.
    public enum Kind: Sendable {
        case string, integer, boolean
    }

    /// The header is `Mcp-Param-` and this.
    public let name: String
    /// Where the argument is, by the names of nested properties.
    public let path: [String]
    public let kind: Kind

    /// The argument of a call, unless it is absent or null.
    public func value(in arguments: JSONObject) -> JSONValue? {
        var value = JSONValue.object(arguments)
        for key in self.path {
            guard let member = value[key], member.isNull == false else { return nil }
            value = member
        }
        return value
    }

    /// The parameters that a schema declares.
    ///
    /// - Precondition: They are declared as the specification allows: schemas are written by programmers.
    static func all(in schema: JSONObject, of tool: ToolName) -> [Self] {
        var found: [Self] = []
        Self.collect(from: schema, path: [], tool, &found)
        let names = Set(found.map { $0.name.lowercased() })
        precondition(names.count == found.count, "Two arguments of \(tool) have the same x-mcp-header.")
        precondition(
            Self.count(in: .object(schema)) == found.count,
            "An x-mcp-header of \(tool) stands where it can't be: only properties of objects have one."
        )
        return found
    }

    private static func collect(from schema: JSONObject, path: [String], _ tool: ToolName, _ found: inout [Self]) {
        for (key, value) in schema["properties"]?.objectValue ?? [:] {
            guard let property = value.objectValue else { continue }
            if let name = property["x-mcp-header"] {
                found.append(Self.parameter(name, property, path + [key], tool))
            }
            Self.collect(from: property, path: path + [key], tool, &found)
        }
    }

    private static func parameter(
        _ name: JSONValue,
        _ property: JSONObject,
        _ path: [String],
        _ tool: ToolName
    ) -> Self {
        guard let name = name.stringValue, name.isEmpty == false, name.utf8.allSatisfy(Self.isTokenByte) else {
            preconditionFailure("The x-mcp-header of \(path) of \(tool) is not a token (RFC 9110).")
        }
        let kind: Kind
        switch property["type"] {
        case "string": kind = .string
        case "integer": kind = .integer
        case "boolean": kind = .boolean
        default: preconditionFailure("\(path) of \(tool) has an x-mcp-header and is no string, integer or boolean.")
        }
        return Self(name: name, path: path, kind: kind)
    }

    private static func isTokenByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
    }

    private static func count(in schema: JSONValue) -> Int {
        switch schema {
        case .array(let elements): elements.reduce(0) { $0 + Self.count(in: $1) }
        case .object(let members):
            members.reduce(members["x-mcp-header"] == nil ? 0 : 1) { $0 + Self.count(in: $1.value) }
        default: 0
        }
    }
}
