/// A schema in the form in which it is evaluated: nodes that refer to each other by number.
struct SchemaProgram: Sendable {
    var nodes: [SchemaNode]
    var root: Int
    /// For each resource, the nodes of its dynamic anchors.
    var dynamicAnchors: [[String: Int]]
    var maximumDepth: Int
    var maximumWork: Int
    var maximumViolations: Int
}

/// One compiled subschema.
final class SchemaNode: Sendable {
    enum Kind: Sendable {
        /// `true` or `{}`.
        case anything
        /// `false`.
        case nothing
        case keywords([SchemaKeyword])
    }

    let kind: Kind
    /// The resource that the subschema belongs to, for the dynamic scope.
    let resource: Int
    /// Where the subschema stands in its document.
    let pointer: JSONPointer
    /// Whether a keyword needs to know what the others have evaluated.
    let needsEvaluatedParts: Bool

    init(kind: Kind, resource: Int, pointer: JSONPointer) {
        self.kind = kind
        self.resource = resource
        self.pointer = pointer
        if case .keywords(let keywords) = kind {
            self.needsEvaluatedParts = keywords.contains { $0.needsEvaluatedParts }
        } else {
            self.needsEvaluatedParts = false
        }
    }
}
