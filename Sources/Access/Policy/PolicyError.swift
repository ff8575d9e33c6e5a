/// What is wrong with a policy file.
public struct PolicyError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The file, the line, the key, what is wrong with it, and what would be right.
    public var description: String

    init(_ description: String) {
        self.description = description
    }
}
