import JSON

/// Derives the schema of an output from its type.
///
/// The initializer that the compiler wrote is run once over a decoder that answers every question with an empty value
/// and notes what was asked: names, types, and which members are optional.
enum OutputSchema {
    /// - Precondition: The type decodes from empty values: its members are strings, numbers, booleans, ``ToolEnum``s,
    ///   structs of these, and arrays, string-keyed dictionaries and optionals of all that.
    static func of(_ type: any ToolOutput.Type) -> JSONObject {
        Self.schema(of: type).objectValue ?? [:]
    }

    fileprivate static func schema(of type: any Decodable.Type) -> JSONValue {
        Self.probe(type).schema
    }

    /// An empty value of a type, with its schema.
    fileprivate static func probe<T: Decodable>(_ type: T.Type) -> (value: T, schema: JSONValue) {
        if let scalar = Self.scalar(type) { return scalar }
        let recorder = ShapeRecorder(descriptions: (type as? any ToolOutput.Type)?.descriptions ?? [:])
        do {
            let value = try T(from: recorder)
            return (value, recorder.schema)
        } catch {
            preconditionFailure("\(type) can't be part of an output: \(error)")
        }
    }

    private static func scalar<T>(_ type: T.Type) -> (value: T, schema: JSONValue)? {
        let found: (Any, JSONValue)? =
            switch type {
            case is String.Type: ("", ["type": "string"])
            case is Int.Type: (0, ["type": "integer"])
            case is Double.Type: (0.0, ["type": "number"])
            case is Bool.Type: (false, ["type": "boolean"])
            case let word as any ToolEnum.Type: Self.first(of: word)
            case let dictionary as any StringKeyed.Type:
                (dictionary.empty, ["type": "object", "additionalProperties": Self.schema(of: dictionary.element)])
            default: nil
            }
        guard let found, let value = found.0 as? T else { return nil }
        return (value, found.1)
    }

    private static func first<E: ToolEnum>(of type: E.Type) -> (Any, JSONValue)? {
        E.allCases.first.map { ($0, .object(E.makeShape().schema)) }
    }
}

/// A dictionary with string keys, its element type erased.
private protocol StringKeyed {
    static var element: any Decodable.Type { get }
    static var empty: Any { get }
}

extension Dictionary: StringKeyed where Key == String, Value: Decodable {
    static var element: any Decodable.Type { Value.self }
    static var empty: Any { Self() }
}

private final class ShapeRecorder: Decoder {
    let descriptions: [String: String]
    var schema: JSONValue = [:]
    private var properties: JSONObject = [:]

    var codingPath: [any CodingKey] { [] }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    init(descriptions: [String: String]) {
        self.descriptions = descriptions
    }

    func note(_ key: any CodingKey, _ schema: JSONValue, optional: Bool) {
        var member = schema.objectValue ?? [:]
        if optional, let type = member["type"] {
            member["type"] = [type, "null"]
        }
        if let description = self.descriptions[key.stringValue] {
            member["description"] = .string(description)
        }
        self.properties[WireName.snakeCase(key.stringValue)] = .object(member)
        self.schema = [
            "type": "object",
            "properties": .object(self.properties),
            "required": .array(self.properties.map { .string($0.key) }),
            "additionalProperties": false,
        ]
    }

    func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        if self.schema == [:] {
            self.schema = ["type": "object"]
        }
        return KeyedDecodingContainer(Members<Key>(recorder: self))
    }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer { Elements(recorder: self) }
    func singleValueContainer() throws -> any SingleValueDecodingContainer { Scalar(recorder: self) }

    private struct Members<Key: CodingKey>: KeyedDecodingContainerProtocol {
        let recorder: ShapeRecorder
        var codingPath: [any CodingKey] { [] }
        var allKeys: [Key] { [] }

        func contains(_ key: Key) -> Bool { true }
        func decodeNil(forKey key: Key) throws -> Bool { false }

        func decode<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T {
            let (value, schema) = OutputSchema.probe(type)
            self.recorder.note(key, schema, optional: false)
            return value
        }

        private func optional<T: Decodable>(_ type: T.Type, forKey key: Key) -> T? {
            self.recorder.note(key, OutputSchema.schema(of: type), optional: true)
            return nil
        }
        func decodeIfPresent<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T? {
            self.optional(type, forKey: key)
        }
        func decodeIfPresent(_ type: String.Type, forKey key: Key) throws -> String? {
            self.optional(type, forKey: key)
        }
        func decodeIfPresent(_ type: Int.Type, forKey key: Key) throws -> Int? { self.optional(type, forKey: key) }
        func decodeIfPresent(_ type: Double.Type, forKey key: Key) throws -> Double? {
            self.optional(type, forKey: key)
        }
        func decodeIfPresent(_ type: Bool.Type, forKey key: Key) throws -> Bool? { self.optional(type, forKey: key) }

        func nestedContainer<Nested: CodingKey>(
            keyedBy type: Nested.Type,
            forKey key: Key
        ) throws -> KeyedDecodingContainer<Nested> { throw ShapeRecorder.unsupported }
        func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
            throw ShapeRecorder.unsupported
        }
        func superDecoder() throws -> any Decoder { throw ShapeRecorder.unsupported }
        func superDecoder(forKey key: Key) throws -> any Decoder { throw ShapeRecorder.unsupported }
    }

    /// An array of exactly one element, which tells the element type.
    private struct Elements: UnkeyedDecodingContainer {
        let recorder: ShapeRecorder
        var codingPath: [any CodingKey] { [] }
        var count: Int? { 1 }
        var currentIndex = 0
        var isAtEnd: Bool { self.currentIndex > 0 }

        init(recorder: ShapeRecorder) {
            self.recorder = recorder
        }

        mutating func decodeNil() throws -> Bool { false }
        mutating func decode<T: Decodable>(_ type: T.Type) throws -> T {
            let (value, schema) = OutputSchema.probe(type)
            self.recorder.schema = ["type": "array", "items": schema]
            self.currentIndex += 1
            return value
        }
        mutating func nestedContainer<Nested: CodingKey>(
            keyedBy type: Nested.Type
        ) throws -> KeyedDecodingContainer<Nested> { throw ShapeRecorder.unsupported }
        mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer {
            throw ShapeRecorder.unsupported
        }
        mutating func superDecoder() throws -> any Decoder { throw ShapeRecorder.unsupported }
    }

    private struct Scalar: SingleValueDecodingContainer {
        let recorder: ShapeRecorder
        var codingPath: [any CodingKey] { [] }

        func decodeNil() -> Bool { false }
        func decode<T: Decodable>(_ type: T.Type) throws -> T {
            let (value, schema) = OutputSchema.probe(type)
            self.recorder.schema = schema
            return value
        }
    }

    private static var unsupported: DecodingError {
        .dataCorrupted(.init(codingPath: [], debugDescription: "Outputs are written by the compiler's own Codable."))
    }
}
