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

    /// Stores a value in the place of another, or where there is none, and does nothing if something else is there.
    ///
    /// - Parameters:
    ///   - key: The key.
    ///   - expected: What has to be there; nothing means that there must be nothing.
    ///   - value: What is stored.
    ///   - lifetime: How long it is kept, counted from now.
    /// - Returns: Whether the value was stored.
    /// - Throws: ``SharedStateError`` with the code ``SharedStateError/Code/full`` when there is no room.
    func compareAndSet(
        _ key: String,
        from expected: [UInt8]?,
        to value: [UInt8],
        lifetime: Duration
    ) async throws(SharedStateError) -> Bool

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
        private enum Value { case full, unavailable, contended }
        private let value: Value

        /// As many values as the store may hold are there already.
        public static var full: Self { Self(value: .full) }
        /// The store can't be reached.
        public static var unavailable: Self { Self(value: .unavailable) }
        /// Others kept changing the value at the same time.
        public static var contended: Self { Self(value: .contended) }
    }

    public var code: Code
    public var message: String

    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }
}

extension KeyValueStore {
    /// Changes a value in one step, whoever else changes it meanwhile.
    ///
    /// - Parameters:
    ///   - key: The key.
    ///   - lifetime: How long the new value is kept, counted from now.
    ///   - transform: Makes the new value of the old one, or nothing if there is nothing to change. It may run several
    ///     times.
    /// - Returns: The new value, or nothing if `transform` made none.
    /// - Throws: ``SharedStateError`` with the code ``SharedStateError/Code/contended`` after 100 attempts.
    public func update(
        _ key: String,
        lifetime: Duration,
        _ transform: ([UInt8]?) -> [UInt8]?
    ) async throws(SharedStateError) -> [UInt8]? {
        for _ in 0..<100 {
            let old = try await self.value(for: key)
            guard let new = transform(old) else { return nil }
            if try await self.compareAndSet(key, from: old, to: new, lifetime: lifetime) { return new }
        }
        throw SharedStateError(.contended, "The value is being changed by too many at once.")
    }
}
