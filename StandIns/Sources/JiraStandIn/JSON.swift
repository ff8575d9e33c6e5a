import Foundation
import HTTPTypes
import Hummingbird
import NIOCore

/// A JSON value.
///
/// The stand-in has its own, so that it does not share mistakes with what it tests.
indirect enum JSON: Sendable, Equatable {
    case null, bool(Bool), number(Double), string(String), array([JSON]), object([String: JSON])

    init?(_ data: Data) {
        guard let value = try? JSONSerialization.jsonObject(with: data, options: .fragmentsAllowed) else { return nil }
        self.init(any: value)
    }

    private init(any: Any) {
        switch any {
        case let number as NSNumber where CFBoolean.isBoolean(number): self = .bool(number.boolValue)
        case let number as NSNumber: self = .number(number.doubleValue)
        case let text as String: self = .string(text)
        case let array as [Any]: self = .array(array.map(JSON.init(any:)))
        case let object as [String: Any]: self = .object(object.mapValues(JSON.init(any:)))
        default: self = .null
        }
    }

    private enum CFBoolean {
        static func isBoolean(_ number: NSNumber) -> Bool { String(cString: number.objCType) == "c" }
    }

    private var any: Any {
        switch self {
        case .null: NSNull()
        case .bool(let flag): flag
        case .number(let number): Int(exactly: number).map { $0 as Any } ?? number
        case .string(let text): text
        case .array(let array): array.map(\.any)
        case .object(let object): object.mapValues(\.any)
        }
    }

    var data: Data {
        (try? JSONSerialization.data(
            withJSONObject: self.any,
            options: [.fragmentsAllowed, .sortedKeys, .withoutEscapingSlashes]
        )) ?? Data()
    }

    subscript(key: String) -> JSON? {
        if case .object(let object) = self { object[key] } else { nil }
    }

    var string: String? { if case .string(let text) = self { text } else { nil } }
    var number: Double? { if case .number(let number) = self { number } else { nil } }
    var array: [JSON]? { if case .array(let array) = self { array } else { nil } }
    var object: [String: JSON]? { if case .object(let object) = self { object } else { nil } }
}

extension JSON: ExpressibleByStringLiteral, ExpressibleByStringInterpolation, ExpressibleByIntegerLiteral,
    ExpressibleByBooleanLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral, ExpressibleByNilLiteral
{
    init(stringLiteral value: String) { self = .string(value) }
    init(integerLiteral value: Int) { self = .number(Double(value)) }
    init(booleanLiteral value: Bool) { self = .bool(value) }
    init(arrayLiteral elements: JSON...) { self = .array(elements) }
    init(dictionaryLiteral elements: (String, JSON)...) { self = .object(Dictionary(uniqueKeysWithValues: elements)) }
    init(nilLiteral: ()) { self = .null }
}

extension Response {
    static func json(_ value: JSON, _ status: HTTPResponse.Status = .ok, headers: HTTPFields = [:]) -> Response {
        var headers = headers
        if headers[.contentType] == nil { headers[.contentType] = "application/json;charset=UTF-8" }
        return Response(status: status, headers: headers, body: .init(byteBuffer: ByteBuffer(bytes: value.data)))
    }

    /// The usual shape of Jira's errors.
    static func failure(_ status: HTTPResponse.Status, _ messages: [String], fields: [String: String] = [:]) -> Response
    {
        .json(
            ["errorMessages": .array(messages.map(JSON.string)), "errors": .object(fields.mapValues(JSON.string))],
            status
        )
    }

    /// The shape of errors in what was sent, before anything of it was looked at.
    static func bare(_ message: String) -> Response {
        .json(["errorMessages": [.string(message)]], .badRequest)
    }

    /// The shape of errors of the framework beneath.
    static func problem(_ status: HTTPResponse.Status, _ detail: String, _ path: String) -> Response {
        .json(
            [
                "type": "about:blank", "title": .string(status.reasonPhrase), "status": .number(Double(status.code)),
                "detail": .string(detail), "instance": .string(path),
            ],
            status,
            headers: [.contentType: "application/problem+json;charset=UTF-8"]
        )
    }
}
