import JSON
struct JSONSchema: Sendable { init(_ v: JSONValue) throws {}; func violations(in v: JSONValue) throws -> [Int] { [] } }
