/// The access labels that a reader holds.
///
/// A document without labels is for everybody. One with labels is for readers who hold at least one of them; for others
/// it doesn't exist.
public enum AccessLabels: Sendable, Hashable {
    /// The reader may read everything: access isn't controlled, or by somebody else.
    case all
    /// The reader holds these labels; without any, only documents without labels are readable.
    case only(Set<String>)

    /// Returns whether a document with the given labels may be read.
    public func allow(_ documentLabels: Set<String>) -> Bool {
        switch self {
        case .all: true
        case .only(let held): documentLabels.isEmpty || !documentLabels.isDisjoint(with: held)
        }
    }
}
