extension MetaschemaDocuments {
    /// The parsed documents, by their identifiers.
    static let values: [String: JSONValue] = Self.texts.compactMapValues { try? JSONValue(parsing: $0) }
}
