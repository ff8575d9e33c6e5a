public import JSON

/// The id of a JSON-RPC request: a string or an integer, echoed with the type that it came with.
public enum RequestID: Sendable, Hashable, CustomStringConvertible {
    case string(String)
    case integer(Int)

    /// Reads an id.
    ///
    /// - Returns: Nothing if the value is neither a string nor an integer (`null` and fractions are not ids).
    public init?(_ value: JSONValue) {
        switch value {
        case .string(let text): self = .string(text)
        case .integer(let number): self = .integer(number)
        default: return nil
        }
    }

    public var json: JSONValue {
        switch self {
        case .string(let text): .string(text)
        case .integer(let number): .integer(number)
        }
    }

    public var description: String {
        switch self {
        case .string(let text): text
        case .integer(let number): String(number)
        }
    }
}

/// What a client calls the progress of one of its requests.
///
/// It has the shape of a request id.
public typealias ProgressToken = RequestID
