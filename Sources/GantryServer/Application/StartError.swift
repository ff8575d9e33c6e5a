/// Why the application could not start, though its settings are well formed.
public struct StartError: Error, Sendable, CustomStringConvertible {
    /// What is wrong and what to do about it.
    public var description: String

    init(_ description: String) {
        self.description = description
    }
}
