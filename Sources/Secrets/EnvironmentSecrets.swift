/// Secrets in environment variables.
public struct EnvironmentSecrets: SecretProvider {
    private let variables: [String: String]

    /// - Parameter variables: The environment, as it was when the process started.
    public init(_ variables: [String: String]) {
        self.variables = variables
    }

    public func value(of reference: SecretReference, refused: String?) async throws(SecretError) -> String {
        guard let text = self.variables[reference.name] else {
            throw SecretError(.notFound, "\(reference): there is no environment variable \(reference.name).")
        }
        return try reference.value(in: text)
    }
}

/// It holds the environment, which must not get into a log when something that holds it is printed.
extension EnvironmentSecrets: CustomStringConvertible, CustomReflectable {
    public var description: String { "EnvironmentSecrets" }
    public var customMirror: Mirror { Mirror(self, children: []) }
}
