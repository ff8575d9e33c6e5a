/// The vocabularies of draft 2020-12 that a dialect uses (Core, section 8.1.2), as far as they decide what is validated.
struct Vocabularies: OptionSet, Sendable {
    let rawValue: Int

    static let applicator = Vocabularies(rawValue: 1)
    static let unevaluated = Vocabularies(rawValue: 2)
    static let validation = Vocabularies(rawValue: 4)
    static let formatAssertion = Vocabularies(rawValue: 8)
    /// The vocabularies whose keywords only annotate, and the core, which is always there.
    static let others = Vocabularies(rawValue: 16)

    /// The vocabularies of the dialect that draft 2020-12 defines itself.
    static let standard: Vocabularies = [.applicator, .unevaluated, .validation, .others]

    /// The identifier of the standard metaschema.
    static let standardDialect = "https://json-schema.org/draft/2020-12/schema"

    /// The vocabulary with an identifier, or `nil` if it is not known.
    init?(identifier: String) {
        let prefix = "https://json-schema.org/draft/2020-12/vocab/"
        guard identifier.hasPrefix(prefix) else { return nil }
        switch identifier.dropFirst(prefix.count) {
        case "applicator": self = .applicator
        case "unevaluated": self = .unevaluated
        case "validation": self = .validation
        case "format-assertion": self = .formatAssertion
        case "core", "format-annotation", "content", "meta-data": self = .others
        default: return nil
        }
    }

    init(rawValue: Int) { self.rawValue = rawValue }
}
