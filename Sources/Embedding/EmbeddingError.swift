public import Knowledge

/// An error thrown by an embedder.
public struct EmbeddingError: EmbedderFailure, CustomStringConvertible {
    /// The kind of failure.
    public struct Code: Hashable, Sendable {
        private enum Value {
            case modelMissing, modelCorrupt, unsupportedProcessor, overloaded
            case unavailable, unauthorized, rateLimited, rejected, malformedAnswer, wrongDimension
        }
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
        /// The embedding service can't be reached, or fails.
        ///
        /// It may work later.
        public static var unavailable: Self { Self(value: .unavailable) }
        /// The embedding service refuses the key.
        public static var unauthorized: Self { Self(value: .unauthorized) }
        /// The embedding service is asked too much.
        ///
        /// It may work later.
        public static var rateLimited: Self { Self(value: .rateLimited) }
        /// The embedding service refuses the request: the address or the model is wrong.
        public static var rejected: Self { Self(value: .rejected) }
        /// What the embedding service answers isn't what the interface says.
        public static var malformedAnswer: Self { Self(value: .malformedAnswer) }
        /// The model has vectors of another dimension than is set.
        public static var wrongDimension: Self { Self(value: .wrongDimension) }
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
