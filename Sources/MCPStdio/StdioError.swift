/// An error thrown by the stdio transport.
public struct StdioError: Error, Sendable, CustomStringConvertible {
    public var message: String
    public var description: String { self.message }
}
