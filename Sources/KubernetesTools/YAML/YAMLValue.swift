/// A tree that can be written as YAML.
///
/// Mappings keep their order.
enum YAMLValue: Hashable, Sendable {
    case string(String)
    case integer(Int)
    case bool(Bool)
    case sequence([YAMLValue])
    case mapping([Entry])

    /// One key of a mapping with its value.
    struct Entry: Hashable, Sendable {
        let key: String
        let value: YAMLValue
    }

    /// A mapping whose values are strings, in the given order.
    static func strings(_ entries: KeyValuePairs<String, String>) -> Self {
        .mapping(entries.map { Entry(key: $0.key, value: .string($0.value)) })
    }

    /// The value of a key, or nil if this is no mapping or has no such key.
    subscript(key: String) -> YAMLValue? {
        guard case .mapping(let entries) = self else { return nil }
        return entries.first { $0.key == key }?.value
    }
}

extension YAMLValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral {
    init(stringLiteral value: String) { self = .string(value) }
    init(integerLiteral value: Int) { self = .integer(value) }
    init(booleanLiteral value: Bool) { self = .bool(value) }
}

extension YAMLValue: ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral {
    init(arrayLiteral elements: YAMLValue...) { self = .sequence(elements) }
    init(dictionaryLiteral elements: (String, YAMLValue)...) {
        self = .mapping(elements.map { Entry(key: $0.0, value: $0.1) })
    }
}
