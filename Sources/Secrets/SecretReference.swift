/// Names a secret, or one field of it: `secret://NAME` or `secret://NAME#field`.
///
/// What a name means is up to the provider: an environment variable, a file below a directory, a secret of AWS Secrets
/// Manager (its name or its ARN). The name is taken to the letter; there are no escapes in it.
public struct SecretReference: Sendable, Hashable, CustomStringConvertible {
    /// How every reference begins.
    public static let scheme = "secret://"
    /// How long a name may be, in bytes: that of an ARN.
    static let maximumNameBytes = 2048
    /// How long the name of a field may be, in bytes.
    static let maximumFieldBytes = 256

    public let name: String
    /// A member of the secret, which is a JSON object then.
    public let field: String?

    /// Reads a reference.
    ///
    /// - Parameter text: A text that begins with ``scheme``.
    /// - Throws: ``SecretError`` with `invalidReference` if it names nothing.
    public init(_ text: String) throws(SecretError) {
        guard text.hasPrefix(Self.scheme) else {
            throw SecretError(.invalidReference, "A secret is named like secret://NAME or secret://NAME#field.")
        }
        let parts = text.dropFirst(Self.scheme.count).split(
            separator: "#",
            maxSplits: 1,
            omittingEmptySubsequences: false
        )
        let name = parts.first.map(String.init) ?? ""
        let field = parts.count > 1 ? String(parts[1]) : nil
        guard Self.isName(name, Self.maximumNameBytes), field.map({ Self.isName($0, Self.maximumFieldBytes) }) ?? true
        else {
            throw SecretError(
                .invalidReference,
                "A secret is named like secret://NAME or secret://NAME#field, without blanks and control characters."
            )
        }
        self.name = name
        self.field = field
    }

    private static func isName(_ text: String, _ limit: Int) -> Bool {
        (1...limit).contains(text.utf8.count)
            && text.unicodeScalars.allSatisfy { scalar in
                scalar.properties.isWhitespace == false && scalar.properties.generalCategory != .control
            }
    }

    /// All of the secret.
    var withoutField: Self { Self(name: self.name, field: nil) }

    private init(name: String, field: String?) {
        self.name = name
        self.field = field
    }

    public var description: String { Self.scheme + self.name + (self.field.map { "#\($0)" } ?? "") }
}
