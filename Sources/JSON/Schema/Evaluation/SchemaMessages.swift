/// Texts that messages about violations have in common.
enum SchemaMessages {
    private static let maximumValues = 20
    private static let maximumLength = 80

    /// Values as JSON, for "expected one of".
    static func list(_ values: [JSONValue]) -> String {
        let shown = values.prefix(self.maximumValues).map { self.shortened($0.serializedString()) }
        let more = values.count - shown.count
        return shown.joined(separator: ", ") + (more > 0 ? " and \(more) more" : "")
    }

    /// Names in quotes.
    static func names(_ names: [String]) -> String {
        let shown = names.prefix(self.maximumValues).map { "'\(self.shortened($0))'" }
        let more = names.count - shown.count
        return shown.joined(separator: ", ") + (more > 0 ? " and \(more) more" : "")
    }

    /// Text that is cut off where it gets too long for a message.
    static func shortened(_ text: String, to length: Int = maximumLength) -> String {
        // The start alone is looked at: the text may be long.
        let start = text.unicodeScalars.prefix(length)
        return start.endIndex == text.endIndex ? text : String(String.UnicodeScalarView(start)) + "…"
    }

    /// What was there instead of what was expected: the type, and a number if it is short.
    static func got(_ value: JSONValue) -> String {
        switch value {
        case .integer(let number): "\(number)"
        case .double(let number): "\(number)"
        default: SchemaTypes(of: value).description
        }
    }
}
