/// Why a program gave no answer.
public struct ProgramError: Error, Sendable {
    /// The kind of failure, for callers that want to react to it.
    public struct Code: Hashable, Sendable {
        private enum Value { case notFound, tookTooLong, outputTooLarge, cancelled, failed }
        private let value: Value
        private init(_ value: Value) { self.value = value }

        /// The program isn't installed.
        public static var notFound: Self { Self(.notFound) }
        /// It ran, or computed, longer than it may.
        public static var tookTooLong: Self { Self(.tookTooLong) }
        /// It wrote more than it may.
        public static var outputTooLarge: Self { Self(.outputTooLarge) }
        /// The task was cancelled.
        public static var cancelled: Self { Self(.cancelled) }
        /// It couldn't be started, or its output couldn't be read.
        public static var failed: Self { Self(.failed) }
    }

    public var code: Code
    /// What happened, in a sentence.
    public var message: String
    /// What failed underneath, for logs only.
    public var cause: (any Error)?

    init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }
}
