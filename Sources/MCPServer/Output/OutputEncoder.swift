import JSON

/// Writes an output as JSON: members in the order of declaration, names in snake case, `nil` as `null`.
enum OutputEncoder {
    static func encode(_ value: some Encodable) throws -> JSONValue {
        let node = OutputNode()
        try value.encode(to: OutputWriter(node: node))
        return node.value
    }
}

/// A value that is being written.
private final class OutputNode {
    enum Content {
        case value(JSONValue)
        case object([(String, OutputNode)])
        case array([OutputNode])
    }

    var content = Content.value(.object([:]))

    var value: JSONValue {
        switch self.content {
        case .value(let value): return value
        case .array(let elements): return .array(elements.map(\.value))
        case .object(let members):
            var object: JSONObject = [:]
            object.reserveCapacity(members.count)
            for (key, node) in members { object[key] = node.value }
            return .object(object)
        }
    }

    func member(_ key: String) -> OutputNode {
        let node = OutputNode()
        if case .object(var members) = self.content {
            self.content = .value(.null)  // Gives the array back to its only owner, so that appending copies nothing.
            members.append((key, node))
            self.content = .object(members)
        } else {
            self.content = .object([(key, node)])
        }
        return node
    }

    func element() -> OutputNode {
        let node = OutputNode()
        if case .array(var elements) = self.content {
            self.content = .value(.null)
            elements.append(node)
            self.content = .array(elements)
        } else {
            self.content = .array([node])
        }
        return node
    }

    func set(_ value: some Encodable) throws {
        switch value {
        case let text as String: self.content = .value(.string(text))
        case let number as Int: self.content = .value(.integer(number))
        case let flag as Bool: self.content = .value(.bool(flag))
        case let number as Double: self.content = .value(.double(number))
        default: try value.encode(to: OutputWriter(node: self))
        }
    }
}

private struct OutputWriter: Encoder {
    let node: OutputNode
    var codingPath: [any CodingKey] { [] }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
        self.node.content = .object([])
        return KeyedEncodingContainer(OutputMembers<Key>(node: self.node))
    }

    func unkeyedContainer() -> any UnkeyedEncodingContainer {
        self.node.content = .array([])
        return OutputElements(node: self.node)
    }

    func singleValueContainer() -> any SingleValueEncodingContainer { OutputScalar(node: self.node) }
}

private struct OutputMembers<Key: CodingKey>: KeyedEncodingContainerProtocol {
    let node: OutputNode
    var codingPath: [any CodingKey] { [] }

    private func member(_ key: Key) -> OutputNode { self.node.member(WireName.snakeCase(key.stringValue)) }

    mutating func encodeNil(forKey key: Key) throws { self.member(key).content = .value(.null) }
    mutating func encode<T: Encodable>(_ value: T, forKey key: Key) throws { try self.member(key).set(value) }

    private mutating func encodeOptional(_ value: (some Encodable)?, forKey key: Key) throws {
        if let value { try self.encode(value, forKey: key) } else { try self.encodeNil(forKey: key) }
    }
    mutating func encodeIfPresent<T: Encodable>(_ value: T?, forKey key: Key) throws {
        try self.encodeOptional(value, forKey: key)
    }
    mutating func encodeIfPresent(_ value: String?, forKey key: Key) throws {
        try self.encodeOptional(value, forKey: key)
    }
    mutating func encodeIfPresent(_ value: Int?, forKey key: Key) throws { try self.encodeOptional(value, forKey: key) }
    mutating func encodeIfPresent(_ value: Double?, forKey key: Key) throws {
        try self.encodeOptional(value, forKey: key)
    }
    mutating func encodeIfPresent(_ value: Bool?, forKey key: Key) throws {
        try self.encodeOptional(value, forKey: key)
    }

    mutating func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type,
        forKey key: Key
    ) -> KeyedEncodingContainer<Nested> {
        OutputWriter(node: self.member(key)).container(keyedBy: type)
    }
    mutating func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
        OutputWriter(node: self.member(key)).unkeyedContainer()
    }
    mutating func superEncoder() -> any Encoder { OutputWriter(node: self.node.member("super")) }
    mutating func superEncoder(forKey key: Key) -> any Encoder { OutputWriter(node: self.member(key)) }
}

private struct OutputElements: UnkeyedEncodingContainer {
    let node: OutputNode
    var codingPath: [any CodingKey] { [] }
    var count: Int {
        if case .array(let elements) = self.node.content { elements.count } else { 0 }
    }

    mutating func encodeNil() throws { self.node.element().content = .value(.null) }
    mutating func encode<T: Encodable>(_ value: T) throws { try self.node.element().set(value) }
    mutating func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type) -> KeyedEncodingContainer<Nested> {
        OutputWriter(node: self.node.element()).container(keyedBy: type)
    }
    mutating func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer {
        OutputWriter(node: self.node.element()).unkeyedContainer()
    }
    mutating func superEncoder() -> any Encoder { OutputWriter(node: self.node.element()) }
}

private struct OutputScalar: SingleValueEncodingContainer {
    let node: OutputNode
    var codingPath: [any CodingKey] { [] }

    mutating func encodeNil() throws { self.node.content = .value(.null) }
    mutating func encode(_ value: Bool) throws { self.node.content = .value(.bool(value)) }
    mutating func encode(_ value: String) throws { self.node.content = .value(.string(value)) }
    mutating func encode(_ value: Double) throws { self.node.content = .value(.double(value)) }
    mutating func encode(_ value: Float) throws { self.node.content = .value(.double(Double(value))) }
    mutating func encode(_ value: Int) throws { self.node.content = .value(.integer(value)) }
    mutating func encode(_ value: Int8) throws { try self.encode(Int(value)) }
    mutating func encode(_ value: Int16) throws { try self.encode(Int(value)) }
    mutating func encode(_ value: Int32) throws { try self.encode(Int(value)) }
    mutating func encode(_ value: Int64) throws { try self.encode(Int(value)) }
    mutating func encode(_ value: UInt) throws { try self.encodeUnsigned(UInt64(value)) }
    mutating func encode(_ value: UInt8) throws { try self.encode(Int(value)) }
    mutating func encode(_ value: UInt16) throws { try self.encode(Int(value)) }
    mutating func encode(_ value: UInt32) throws { try self.encode(Int(value)) }
    mutating func encode(_ value: UInt64) throws { try self.encodeUnsigned(value) }
    mutating func encode<T: Encodable>(_ value: T) throws { try self.node.set(value) }

    private mutating func encodeUnsigned(_ value: UInt64) throws {
        guard let integer = Int(exactly: value) else {
            throw EncodingError.invalidValue(
                value,
                .init(codingPath: [], debugDescription: "The number is larger than outputs may hold.")
            )
        }
        try self.encode(integer)
    }
}
