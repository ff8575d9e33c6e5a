public import JSON

/// Something that happened to a document of the index, told after it was committed.
public struct IndexEvent: Sendable, Hashable {
    /// What happened.
    public enum Kind: String, Sendable {
        /// The document is new, or has another content now.
        case indexed = "document_indexed"
        /// The document is gone.
        case deleted = "document_deleted"
    }

    public var kind: Kind
    public var documentID: String
    /// Whether the list of documents is another one now: the document is new or gone.
    public var changesList: Bool

    /// Creates an event.
    public init(_ kind: Kind, documentID: String, changesList: Bool) {
        self.kind = kind
        self.documentID = documentID
        self.changesList = changesList
    }

    /// The event as replicas send it to each other.
    public var json: JSONValue {
        [
            "event": .string(self.kind.rawValue),
            "document_id": .string(self.documentID),
            "changes_list": .bool(self.changesList),
        ]
    }

    /// Reads an event; nothing if it is none.
    public init?(_ json: JSONValue) {
        guard let kind = json["event"]?.stringValue.flatMap(Kind.init), let id = json["document_id"]?.stringValue else {
            return nil
        }
        self.init(kind, documentID: id, changesList: json["changes_list"]?.boolValue ?? false)
    }
}
