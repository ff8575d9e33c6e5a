public import JSON

/// The arguments of a tool: a struct whose stored properties are all ``Param``s.
///
/// Wire names are the snake case of the Swift names (`projectKey` is `project_key`).
public protocol ToolArguments: ToolValue, Decodable {
    init()
}

/// The arguments of a tool that takes none.
public struct NoArguments: ToolArguments {
    public init() {}
}

extension ToolArguments {
    public static func makeShape() -> ValueShape<Self> {
        let plan = ArgumentPlan(Self())
        return ValueShape(schema: plan.schema) { value, mistakes in
            guard case .object(let members) = value else {
                mistakes.append(.expected("an object", got: value))
                return nil
            }
            guard let values = plan.read(members, &mistakes) else { return nil }
            // The compiler's own memberwise decoding puts the values, already read, into their places.
            return try? Self(from: ReadArguments(values: values))
        }
    }

    public var json: JSONValue {
        var object: JSONObject = [:]
        for child in Mirror(reflecting: self).children {
            guard let label = child.label, let param = child.value as? any DeclaredParam else { continue }
            object[WireName.snakeCase(label)] = param.currentJSON
        }
        return .object(object)
    }
}

/// One argument, its type erased.
struct ArgumentField: Sendable {
    var name: String
    /// The Swift name, under which the compiler asks for the value.
    var property: String
    var description: String
    var schema: JSONObject
    /// The `Param` of a call that leaves the argument out; nothing if it is required.
    var absent: (any Sendable)?
    /// Suggests values.
    var complete: (@Sendable (String, [String: String]) async throws -> [String])?
    /// Reads a `Param`.
    var decode: @Sendable (JSONValue, inout [ArgumentMistake]) -> (any Sendable)?
}

/// How the arguments of one type are read, made once by reflection.
struct ArgumentPlan: Sendable {
    let fields: [ArgumentField]
    let schema: JSONObject

    init(_ prototype: some ToolArguments) {
        self.fields = Mirror(reflecting: prototype).children.map { child in
            guard let label = child.label, let param = child.value as? any DeclaredParam else {
                preconditionFailure("Every stored property of \(type(of: prototype)) is a @Param.")
            }
            let property = label.hasPrefix("_") ? String(label.dropFirst()) : label
            return param.makeField(name: WireName.snakeCase(property), property: property)
        }
        var properties: JSONObject = [:]
        for field in self.fields {
            properties[field.name] = .object(field.schema)
        }
        var schema: JSONObject = ["type": "object", "properties": .object(properties)]
        let required = self.fields.filter { $0.absent == nil }.map { JSONValue.string($0.name) }
        if required.isEmpty == false {
            schema["required"] = .array(required)
        }
        schema["additionalProperties"] = false
        self.schema = schema
    }

    /// Reads all arguments, by property name, or notes every mistake.
    func read(_ members: JSONObject, _ mistakes: inout [ArgumentMistake]) -> [String: any Sendable]? {
        var values: [String: any Sendable] = [:]
        values.reserveCapacity(self.fields.count)
        let before = mistakes.count
        var known = 0
        for field in self.fields {
            let start = mistakes.count
            if let member = members[field.name] {
                known += 1
                values[field.property] = field.decode(member, &mistakes)
            } else if let absent = field.absent {
                values[field.property] = absent
            } else {
                mistakes.append(ArgumentMistake("Required: \(field.description)"))
            }
            mistakes.prefix(from: start, with: field.name)
        }
        if known < members.count {
            self.noteUnknown(members, &mistakes)
        }
        return mistakes.count == before ? values : nil
    }

    private func noteUnknown(_ members: JSONObject, _ mistakes: inout [ArgumentMistake]) {
        let names = self.fields.map(\.name)
        for (key, _) in members where names.contains(key) == false {
            let message =
                switch Spelling.nearest(to: key, among: names) {
                case let nearest?: "There is no such argument; did you mean \(nearest)?"
                case nil where names.isEmpty: "This tool takes no arguments."
                case nil: "There is no such argument; there are \(names.joined(separator: ", "))."
                }
            mistakes.append(ArgumentMistake(pointer: JSONPointer().appending(key), message: message))
        }
    }
}

/// Hands values that are read already to the initializer that the compiler wrote.
private struct ReadArguments: Decoder {
    var values: [String: any Sendable]
    var codingPath: [any CodingKey] { [] }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        KeyedDecodingContainer(Container(values: self.values))
    }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer { throw self.unsupported }
    func singleValueContainer() throws -> any SingleValueDecodingContainer { throw self.unsupported }

    private var unsupported: DecodingError {
        .dataCorrupted(.init(codingPath: [], debugDescription: "Arguments are a struct of @Param properties."))
    }

    private struct Container<Key: CodingKey>: KeyedDecodingContainerProtocol {
        var values: [String: any Sendable]
        var codingPath: [any CodingKey] { [] }
        var allKeys: [Key] { self.values.keys.compactMap(Key.init(stringValue:)) }

        func contains(_ key: Key) -> Bool { self.values[key.stringValue] != nil }
        func decodeNil(forKey key: Key) throws -> Bool { false }

        func decode<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T {
            guard let value = self.values[key.stringValue] as? T else {
                throw DecodingError.keyNotFound(key, .init(codingPath: [], debugDescription: "No such @Param."))
            }
            return value
        }

        func nestedContainer<Nested: CodingKey>(
            keyedBy type: Nested.Type,
            forKey key: Key
        ) throws -> KeyedDecodingContainer<Nested> {
            KeyedDecodingContainer(ReadArguments.Container<Nested>(values: [:]))
        }
        func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer { throw self.unsupported }
        func superDecoder() throws -> any Decoder { throw self.unsupported }
        func superDecoder(forKey key: Key) throws -> any Decoder { throw self.unsupported }

        private var unsupported: DecodingError { ReadArguments(values: [:]).unsupported }
    }
}
