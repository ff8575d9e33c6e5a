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
            // The compiler's own memberwise decoding puts the values into their places.
            let decoder = ArgumentDecoder(plan, members)
            let arguments = try? Self(from: decoder)
            let found = decoder.finish()
            mistakes += found
            return found.isEmpty ? arguments : nil
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
    var isRequired: Bool
    /// Suggests values.
    var complete: (@Sendable (String, [String: String]) async throws -> [String])?
    /// The ``ParamReader`` of the argument's type.
    var reader: any AnyObject & Sendable
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
        let required = self.fields.filter(\.isRequired).map { JSONValue.string($0.name) }
        if required.isEmpty == false {
            schema["required"] = .array(required)
        }
        schema["additionalProperties"] = false
        self.schema = schema
    }

    /// Notes the members that are no arguments.
    fileprivate func noteUnknown(_ members: JSONObject, _ mistakes: inout [ArgumentMistake]) {
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

/// Reads one argument of a call.
final class ParamReader<Value: ToolValue>: Sendable {
    private let decode: ValueShape<Value>.Decode
    private let constraints: [ParamConstraint<Value>]
    /// The value of an argument that is left out; nothing if it is required.
    let absent: Value?

    init(_ decode: @escaping ValueShape<Value>.Decode, _ constraints: [ParamConstraint<Value>], absent: Value?) {
        self.decode = decode
        self.constraints = constraints
        self.absent = absent
    }

    func read(_ json: JSONValue, _ mistakes: inout [ArgumentMistake]) -> Value? {
        guard let value = self.decode(json, &mistakes) else { return nil }
        let before = mistakes.count
        for constraint in self.constraints {
            if let problem = constraint.problem(value) { mistakes.append(ArgumentMistake(problem)) }
        }
        return mistakes.count == before ? value : nil
    }
}

/// Reads the arguments of a call, and notes every mistake, while the initializer that the compiler wrote asks for them one
/// after the other.
final class ArgumentDecoder: Decoder {
    private let plan: ArgumentPlan
    private let members: JSONObject
    /// The argument that is asked for.
    private var current = -1
    /// How many members are arguments.
    private var known = 0
    private var mistakes: [ArgumentMistake] = []

    init(_ plan: ArgumentPlan, _ members: JSONObject) {
        self.plan = plan
        self.members = members
    }

    /// Ends the reading.
    ///
    /// - Returns: All that is wrong with the arguments.
    func finish() -> [ArgumentMistake] {
        if self.known < self.members.count { self.plan.noteUnknown(self.members, &self.mistakes) }
        return self.mistakes
    }

    /// Reads the argument that is asked for.
    ///
    /// - Throws: `DecodingError` if none is: then the type was not made of arguments only.
    func param<Value: ToolValue>() throws -> Param<Value> {
        guard self.plan.fields.indices.contains(self.current),
            let reader = self.plan.fields[self.current].reader as? ParamReader<Value>
        else { throw Self.unsupported }
        let name = self.plan.fields[self.current].name
        let start = self.mistakes.count
        let value: Value?
        if let member = self.members[name] {
            self.known += 1
            value = reader.read(member, &self.mistakes)
        } else {
            value = reader.absent
            if value == nil {
                self.mistakes.append(ArgumentMistake("Required: \(self.plan.fields[self.current].description)"))
            }
        }
        if self.mistakes.count > start { self.mistakes.prefix(from: start, with: name) }
        return value.map { Param(given: $0) } ?? .missing
    }

    /// The properties are asked for in their order.
    fileprivate func select(_ property: String) {
        self.current += 1
        if self.current < self.plan.fields.count, self.plan.fields[self.current].property == property { return }
        self.current = self.plan.fields.firstIndex { $0.property == property } ?? -1
    }

    fileprivate static var unsupported: DecodingError {
        .dataCorrupted(.init(codingPath: [], debugDescription: "Arguments are a struct of @Param properties."))
    }

    // MARK: What the compiler asks for

    var codingPath: [any CodingKey] { [] }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        KeyedDecodingContainer(Container(decoder: self))
    }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer { throw Self.unsupported }
    func singleValueContainer() throws -> any SingleValueDecodingContainer { throw Self.unsupported }

    private struct Container<Key: CodingKey>: KeyedDecodingContainerProtocol {
        var decoder: ArgumentDecoder
        var codingPath: [any CodingKey] { [] }
        var allKeys: [Key] { self.decoder.plan.fields.compactMap { Key(stringValue: $0.property) } }

        func contains(_ key: Key) -> Bool {
            self.decoder.plan.fields.contains { $0.property == key.stringValue }
        }

        func decodeNil(forKey key: Key) throws -> Bool { false }

        func decode<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T {
            self.decoder.select(key.stringValue)
            return try T(from: self.decoder)
        }

        func nestedContainer<Nested: CodingKey>(
            keyedBy type: Nested.Type,
            forKey key: Key
        ) throws -> KeyedDecodingContainer<Nested> { throw ArgumentDecoder.unsupported }
        func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
            throw ArgumentDecoder.unsupported
        }
        func superDecoder() throws -> any Decoder { throw ArgumentDecoder.unsupported }
        func superDecoder(forKey key: Key) throws -> any Decoder { throw ArgumentDecoder.unsupported }
    }
}
