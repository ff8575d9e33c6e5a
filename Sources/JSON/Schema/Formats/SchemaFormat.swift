/// A format that `format` can assert (Validation, section 7.3).
enum SchemaFormat: String, Sendable, CaseIterable {
    case dateTime = "date-time"
    case date
    case time
    case duration
    case email
    case idnEmail = "idn-email"
    case hostname
    case idnHostname = "idn-hostname"
    case ipv4
    case ipv6
    case uri
    case uriReference = "uri-reference"
    case iri
    case iriReference = "iri-reference"
    case uriTemplate = "uri-template"
    case uuid
    case jsonPointer = "json-pointer"
    case relativeJSONPointer = "relative-json-pointer"
    case regex

    /// Whether a string has the format.
    func accepts(_ text: String) -> Bool {
        var scanner = FormatScanner(text)
        switch self {
        case .dateTime: return scanner.isWhole { $0.scanDateTime() }
        case .date: return scanner.isWhole { $0.scanDate() }
        case .time: return scanner.isWhole { $0.scanTime() }
        case .duration: return scanner.isWhole { $0.scanDuration() }
        case .email: return MailFormat.accepts(text, isInternational: false)
        case .idnEmail: return MailFormat.accepts(text, isInternational: true)
        case .hostname: return HostFormat.isHostname(text)
        case .idnHostname: return HostFormat.isInternationalHostname(text)
        case .ipv4: return HostFormat.isIPv4(text)
        case .ipv6: return HostFormat.isIPv6(text)
        case .uri: return URIFormat.accepts(text, isInternational: false, allowsRelative: false)
        case .uriReference: return URIFormat.accepts(text, isInternational: false, allowsRelative: true)
        case .iri: return URIFormat.accepts(text, isInternational: true, allowsRelative: false)
        case .iriReference: return URIFormat.accepts(text, isInternational: true, allowsRelative: true)
        case .uriTemplate: return URITemplateFormat.accepts(text)
        case .uuid: return scanner.isWhole { $0.scanUUID() }
        case .jsonPointer: return (try? JSONPointer(parsing: text)) != nil
        case .relativeJSONPointer: return scanner.isWhole { $0.scanRelativeJSONPointer() }
        case .regex: return (try? PatternParser.parse(text)) != nil
        }
    }

    /// What a message says was expected.
    var expectation: String {
        switch self {
        case .dateTime: "a date and time of RFC 3339, for example 2026-08-01T12:30:00Z"
        case .date: "a date of RFC 3339, for example 2026-08-01"
        case .time: "a time of RFC 3339, for example 12:30:00Z"
        case .duration: "a duration of ISO 8601, for example P1DT12H"
        case .email, .idnEmail: "an e-mail address"
        case .hostname, .idnHostname: "a host name"
        case .ipv4: "an IPv4 address, for example 192.0.2.1"
        case .ipv6: "an IPv6 address, for example 2001:db8::1"
        case .uri: "a URI with its scheme, for example https://example.com/path"
        case .uriReference: "a URI or a relative reference"
        case .iri: "an IRI with its scheme"
        case .iriReference: "an IRI or a relative reference"
        case .uriTemplate: "a URI template of RFC 6570"
        case .uuid: "a UUID, for example 2eb8aa08-aa98-11ea-b4aa-73b441d16380"
        case .jsonPointer: "a JSON pointer, for example /items/0"
        case .relativeJSONPointer: "a relative JSON pointer, for example 1/name"
        case .regex: "a regular expression of ECMA-262"
        }
    }
}
