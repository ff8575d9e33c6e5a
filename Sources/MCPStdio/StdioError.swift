/// An error thrown by the stdio transport.
public struct StdioError: Error, Sendable, CustomStringConvertible {
    /// What went wrong, in a sentence.
    public var message: String
    public var description: String { self.message }
}
