import Crypto
import Foundation
import MCP

/// Links records so that none can be changed, added, removed or moved without the key.
///
/// The link of a record is HMAC-SHA-256 over the link before it, its number and all its fields. Where the chain begins
/// and ends is sealed in the same way: without that, records at the end could be taken off.
public struct AuditChain: Sendable {
    /// The link before the first record.
    public static let origin = [UInt8](repeating: 0, count: 32)

    /// Has taken the key already.
    private let mac: HMAC<SHA256>

    /// - Parameter key: A secret of at least 32 bytes that is not kept in the same place as the records.
    public init(key: [UInt8]) {
        precondition(key.count >= 32, "The key of the audit chain has at least 32 bytes.")
        self.mac = HMAC(key: SymmetricKey(data: key))
    }

    /// The link of a record.
    public func link(_ record: AuditRecord, sequence: Int, after previous: [UInt8]) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(1024)
        bytes += previous
        bytes += "\(sequence):".utf8
        record.write(to: &bytes)
        var mac = self.mac
        mac.update(data: bytes)
        return mac.finalize().withUnsafeBytes(Array.init)
    }

    /// The seal of where the chain begins and ends.
    public func seal(_ span: AuditSpan) -> [UInt8] {
        var mac = self.mac
        mac.update(data: Array("span \(span.start) \(span.end) ".utf8))
        mac.update(data: span.startLink)
        mac.update(data: span.endLink)
        return mac.finalize().withUnsafeBytes(Array.init)
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
        "\(self.end):\(Hexadecimal.encode(self.endLink))"
    }
}
