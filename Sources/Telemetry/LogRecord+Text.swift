import JSON
import Logging

extension LogRecord {
    func writeText(to output: inout [UInt8]) {
        output += "\(self.timestamp) \(self.level.rawValue) \(self.logger): ".utf8
        output += Self.printable(Self.limited(self.message)).utf8
        for (key, value) in self.fields {
            output += " \(Self.printable(key))=".utf8
            let text = Self.limited(value.description)
            if text.isEmpty || text.unicodeScalars.contains(where: { $0 == " " || $0 == "\"" || Self.isControl($0) }) {
                JSONWriter.writeString(text, to: &output)
            } else {
                output += text.utf8
            }
        }
    }

    /// Replaces control characters, so that no message can forge a line or steer the terminal.
    private static func printable(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: Self.isControl) else { return text }
        return String(String.UnicodeScalarView(text.unicodeScalars.map { Self.isControl($0) ? "\u{FFFD}" : $0 }))
    }

    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        scalar.properties.generalCategory == .control
    }
}
