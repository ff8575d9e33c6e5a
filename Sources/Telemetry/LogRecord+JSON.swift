import JSON
import Logging

extension LogRecord {
    /// The keys that every record has.
    ///
    /// Metadata with one of these names is written as `metadata.NAME`.
    private static let reservedKeys: Set<String> = ["ts", "level", "logger", "message"]

    func writeJSON(to output: inout [UInt8]) {
        output += "{\"ts\":".utf8
        JSONWriter.writeString(self.timestamp, to: &output)
        output += ",\"level\":".utf8
        JSONWriter.writeString(self.level.rawValue, to: &output)
        output += ",\"logger\":".utf8
        JSONWriter.writeString(self.logger, to: &output)
        output += ",\"message\":".utf8
        JSONWriter.writeString(Self.limited(self.message), to: &output)
        for (key, value) in self.fields {
            output.append(UInt8(ascii: ","))
            JSONWriter.writeString(Self.reservedKeys.contains(key) ? "metadata.\(key)" : key, to: &output)
            output.append(UInt8(ascii: ":"))
            Self.writeJSON(value, to: &output)
        }
        output.append(UInt8(ascii: "}"))
    }

    private static func writeJSON(_ value: Logger.Metadata.Value, to output: inout [UInt8]) {
        switch value {
        case .stringConvertible(let number as any FixedWidthInteger & CustomStringConvertible & Sendable):
            output += number.description.utf8
        case .stringConvertible(let number as Double) where number.isFinite:
            output += number.description.utf8
        case .stringConvertible(let flag as Bool):
            output += flag.description.utf8
        case .array(let values):
            output.append(UInt8(ascii: "["))
            for (index, element) in values.enumerated() {
                if index > 0 { output.append(UInt8(ascii: ",")) }
                Self.writeJSON(element, to: &output)
            }
            output.append(UInt8(ascii: "]"))
        case .string, .stringConvertible, .dictionary:
            JSONWriter.writeString(Self.limited(value.description), to: &output)
        }
    }
}
