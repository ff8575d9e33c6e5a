import Crypto
import Foundation
import JSON

/// Links records so that none can be changed, added, removed or moved without the key.
///
/// The link of a record is HMAC-SHA-256 over the link before it, its number and all its fields. Where the chain begins
/// and ends is sealed in the same way: without that, records at the end could be taken off.
public struct AuditChain: Sendable {
    /// The link before the first record.
    public static let origin = [UInt8](repeating: 0, count: 32)

    private let key: SymmetricKey

    /// - Parameter key: A secret of at least 32 bytes that is not kept in the same place as the records.
    public init(key: [UInt8]) {
        precondition(key.count >= 32, "The key of the audit chain has at least 32 bytes.")
        self.key = SymmetricKey(data: key)
    }

    /// The link of a record.
    public func link(_ record: AuditRecord, sequence: Int, after previous: [UInt8]) -> [UInt8] {
        var mac = HMAC<SHA256>(key: self.key)
        mac.update(data: previous)
        mac.update(data: Array("\(sequence):".utf8))
        mac.update(data: JSONValue.object(record.json).serialized())
        return Array(mac.finalize())
    }

    /// The seal of where the chain begins and ends.
    public func seal(_ span: AuditSpan) -> [UInt8] {
        var mac = HMAC<SHA256>(key: self.key)
        mac.update(data: Array("span \(span.start) \(span.end) ".utf8))
        mac.update(data: span.startLink)
        mac.update(data: span.endLink)
        return Array(mac.finalize())
    }
}

/// Where a chain begins and ends.
public struct AuditSpan: Sendable, Hashable {
    /// The number of the last record that retention has removed; 0 if none was.
    public var start: Int
    /// The link of that record.
    public var startLink: [UInt8]
    /// The number of the last record.
    public var end: Int
    /// Its link.
    public var endLink: [UInt8]

    public init(start: Int, startLink: [UInt8], end: Int, endLink: [UInt8]) {
        self.start = start
        self.startLink = startLink
        self.end = end
        self.endLink = endLink
    }

    /// A chain without records.
    public static let empty = Self(start: 0, startLink: AuditChain.origin, end: 0, endLink: AuditChain.origin)

    /// The last link, for people to note elsewhere: who restores an old copy of the log can't have it.
    public var head: String {
        "\(self.end):" + self.endLink.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}
