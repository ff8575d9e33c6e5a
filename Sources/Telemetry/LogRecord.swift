import Foundation
import JSON
import Logging

/// One log record, ready to be rendered.
struct LogRecord {
    /// The most bytes of one message or one metadata value.
    ///
    /// What is longer is cut, and ends in `…`.
    static let maximumValueBytes = 8192

    var time: Date
    var level: Logger.Level
    var logger: String
    var message: String
    var metadata: Logger.Metadata

    /// The record as one line in the given format, with its line end.
    func line(_ format: LogFormat) -> [UInt8] {
        var line: [UInt8] = []
        line.reserveCapacity(256)
        switch format {
        case .json: self.writeJSON(to: &line)
        case .text: self.writeText(to: &line)
        }
        line.append(UInt8(ascii: "\n"))
        return line
    }

    /// The time in UTC with milliseconds, as ISO 8601 writes it.
    var timestamp: String {
        self.time.formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
    }

    /// The metadata as pairs with dotted keys, sorted, without nested dictionaries.
    var fields: [(key: String, value: Logger.Metadata.Value)] {
        var fields: [(key: String, value: Logger.Metadata.Value)] = []
        Self.flatten(self.metadata, prefix: "", into: &fields)
        return fields.sorted { $0.key < $1.key }
    }

    private static func flatten(
        _ metadata: Logger.Metadata,
        prefix: String,
        into fields: inout [(key: String, value: Logger.Metadata.Value)]
    ) {
        for (key, value) in metadata {
            if case .dictionary(let nested) = value {
                Self.flatten(nested, prefix: "\(prefix)\(key).", into: &fields)
            } else {
                fields.append((prefix + key, value))
            }
        }
    }

    /// Cuts a text that is longer than ``maximumValueBytes`` at a character boundary.
    static func limited(_ text: String) -> String {
        guard text.utf8.count > Self.maximumValueBytes else { return text }
        return String(decoding: text.utf8.prefix(Self.maximumValueBytes), as: UTF8.self)
            .trimmingCharacters(in: CharacterSet(charactersIn: "\u{FFFD}")) + "…"
    }
}
