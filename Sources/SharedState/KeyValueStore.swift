/// Values that outlive a request and are shared by all replicas, each with a time after which it is gone.
public protocol KeyValueStore: Sendable {
    /// The value of a key, unless it has expired.
    func value(for key: String) async throws(SharedStateError) -> [UInt8]?

    /// Stores a value.
    ///
    /// It is kept for `lifetime`, counted from now.
    ///
    /// - Throws: ``SharedStateError`` with the code ``SharedStateError/Code/full`` when there is no room.
    func set(_ key: String, to value: [UInt8], lifetime: Duration) async throws(SharedStateError)

    /// Keeps a value for another while.
    ///
    /// - Returns: Whether there was one.
    func extend(_ key: String, lifetime: Duration) async throws(SharedStateError) -> Bool

    /// Removes a value.
    ///
    /// - Returns: Whether there was one.
    func remove(_ key: String) async throws(SharedStateError) -> Bool
}

/// An error thrown by shared state.
public struct SharedStateError: Error, Sendable {
    /// The kind of failure.
    public struct Code: Sendable, Hashable {
        private enum Value { case full, unavailable }
        private let value: Value

        /// As many values as the store may hold are there already.
        public static var full: Self { Self(value: .full) }
        /// The store can't be reached.
        public static var unavailable: Self { Self(value: .unavailable) }
    }

    public var code: Code
    public var message: String

    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }
}
