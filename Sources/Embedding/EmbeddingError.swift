/// An error thrown by an embedder.
public struct EmbeddingError: Error, Sendable, CustomStringConvertible {
    /// The kind of failure.
    public struct Code: Hashable, Sendable {
        private enum Value { case modelMissing, modelUnreadable, modelCorrupt, overloaded }
        private let value: Value

        /// There is no model in the directory.
        public static var modelMissing: Self { Self(value: .modelMissing) }
        /// A file of the model is there but can't be read.
        public static var modelUnreadable: Self { Self(value: .modelUnreadable) }
        /// The files are there but are not the model.
        public static var modelCorrupt: Self { Self(value: .modelCorrupt) }
        /// Too many callers wait for the model; the same call may work in a moment.
        public static var overloaded: Self { Self(value: .overloaded) }
    }

    public var code: Code

    /// What is wrong, and what to do about it.
    public var message: String

    public var description: String { self.message }

    /// Creates an error.
    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }
}
