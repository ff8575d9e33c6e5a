import JSON

/// Where secrets are kept.
public protocol SecretProvider: Sendable {
    /// The value of a secret as it is now.
    ///
    /// - Parameters:
    ///   - reference: Which secret.
    ///   - refused: A value that somebody did not accept any more: if that is the one which is known, it is looked for
    ///     anew, unless that was done a moment ago.
    /// - Returns: The value, without white space at its ends.
    /// - Throws: ``SecretError``.
    func value(of reference: SecretReference, refused: String?) async throws(SecretError) -> String
}

extension SecretProvider {
    /// The value of a secret as it is now.
    public func value(of reference: SecretReference) async throws(SecretError) -> String {
        try await self.value(of: reference, refused: nil)
    }
}

extension SecretReference {
    /// How large a secret may be, in bytes: as large as AWS Secrets Manager keeps.
    static let maximumValueBytes = 65_536

    /// What is meant of the whole text of a secret: all of it, or a field of the JSON object that it is; without white space
    /// at its ends, which is how files end and no part of a secret.
    func value(in text: String) throws(SecretError) -> String {
        let value = try self.member(of: text).drop(while: \.isWhitespace)
        return String(value.reversed().drop(while: \.isWhitespace).reversed())
    }

    private func member(of text: String) throws(SecretError) -> String {
        guard text.utf8.count <= Self.maximumValueBytes else {
            throw SecretError(.invalidValue, "\(self) is larger than \(Self.maximumValueBytes) bytes.")
        }
        guard let field else { return text }
        guard let object = (try? JSONValue(parsing: Array(text.utf8)))?.objectValue else {
            throw SecretError(.invalidValue, "\(self): the secret is no JSON object, so it has no fields.")
        }
        switch object[field] {
        case .string(let value)?: return value
        case .integer?, .double?, .decimal?, .bool?: return object[field]?.serializedString() ?? ""
        case nil: throw SecretError(.notFound, "\(self): the secret has no such field.")
        default: throw SecretError(.invalidValue, "\(self): the field is no text, number or boolean.")
        }
    }
}
