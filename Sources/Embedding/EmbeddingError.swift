/// An error thrown by an embedder.
public struct EmbeddingError: Error, Sendable, CustomStringConvertible {
    /// The kind of failure.
    public struct Code: Hashable, Sendable {
        private enum Value { case modelMissing, modelCorrupt, unsupportedProcessor, overloaded }
        private let value: Value

        /// There is no model in the directory.
        public static var modelMissing: Self { Self(value: .modelMissing) }
        /// The files are there but are not the model.
        public static var modelCorrupt: Self { Self(value: .modelCorrupt) }
        /// The processor can't do what the settings ask for.
        public static var unsupportedProcessor: Self { Self(value: .unsupportedProcessor) }
        /// Too many texts wait.
        ///
        /// It may work later.
        public static var overloaded: Self { Self(value: .overloaded) }
    }

    public var code: Code
    /// What is wrong, and what to do about it.
    public var message: String
    public var description: String { self.message }

    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }
}
