import Crypto
import JSON

/// The wish of a caller that a call be carried out once, however often it is sent.
///
/// Every tool that changes something takes the argument `idempotency_key`, beside its own.
struct OnceRequest: Sendable {
    static let argument = "idempotency_key"
    static let maximumLength = 128

    /// The key that the caller chose.
    let key: String
    /// SHA-256 of the other arguments, whose order does not matter.
    let fingerprint: [UInt8]

    /// Takes the key out of the arguments of a call.
    ///
    /// - Returns: Nothing if there is none, or if it is not right, which is noted.
    init?(taking members: inout JSONObject, _ mistakes: inout [ArgumentMistake]) {
        guard let value = members[Self.argument] else { return nil }
        members[Self.argument] = nil
        guard let key = value.stringValue, (1...Self.maximumLength).contains(key.unicodeScalars.count) else {
            mistakes.append(
                ArgumentMistake(
                    pointer: JSONPointer().appending(Self.argument),
                    message: "Expected a string of 1 to \(Self.maximumLength) characters."
                )
            )
            return nil
        }
        self.key = key
        self.fingerprint = Array(SHA256.hash(data: Self.ordered(.object(members)).serialized()))
    }

    /// The schema of a tool's arguments, with that of the key.
    static func adding(to schema: JSONObject) -> JSONObject {
        var schema = schema
        var properties = schema["properties"]?.objectValue ?? [:]
        precondition(properties[Self.argument] == nil, "\(Self.argument) is not an argument of a tool's own.")
        properties[Self.argument] = [
            "type": "string", "minLength": 1, "maxLength": .integer(Self.maximumLength),
            "description": .string(
                "Any text of your choice, such as a UUID. Send the same one when you repeat a call of which you got no "
                    + "answer: it is then carried out once, and you get its answer. A new call needs a new one."
            ),
        ]
        schema["properties"] = .object(properties)
        return schema
    }

    private static func ordered(_ value: JSONValue) -> JSONValue {
        switch value {
        case .object(let members):
            .object(
                JSONObject(
                    members.map { (key: $0.key, value: self.ordered($0.value)) }
                        .sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
                )
            )
        case .array(let values): .array(values.map(self.ordered))
        default: value
        }
    }
}
