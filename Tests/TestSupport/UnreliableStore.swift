package import SharedState
import Synchronization

/// A store of values that can be away, and tells what it does.
package final class UnreliableStore: KeyValueStore {
    /// The keys that were set, for one reader.
    package let sets: AsyncStream<String>
    private let told: AsyncStream<String>.Continuation
    private let refusals = AsyncStream<Void>.makeStream()
    private let away = Atomic(false)
    private let inner: any KeyValueStore

    package init(_ inner: any KeyValueStore = InMemoryKeyValueStore()) {
        self.inner = inner
        (self.sets, self.told) = AsyncStream.makeStream()
    }

    /// Whether every request fails.
    package var isAway: Bool {
        get { self.away.load(ordering: .sequentiallyConsistent) }
        set { self.away.store(newValue, ordering: .sequentiallyConsistent) }
    }

    /// Waits until so many more requests have failed; one at a time may wait.
    package func waitForFailures(_ count: Int) async {
        for await _ in self.refusals.stream.prefix(count) {}
    }

    private func check() throws(SharedStateError) {
        guard self.isAway else { return }
        self.refusals.continuation.yield()
        throw SharedStateError(.unavailable, "away")
    }

    package func value(for key: String) async throws(SharedStateError) -> [UInt8]? {
        try self.check()
        return try await self.inner.value(for: key)
    }

    package func set(_ key: String, to value: [UInt8], lifetime: Duration) async throws(SharedStateError) {
        try self.check()
        try await self.inner.set(key, to: value, lifetime: lifetime)
        self.told.yield(key)
    }

    package func compareAndSet(
        _ key: String,
        from expected: [UInt8]?,
        to value: [UInt8],
        lifetime: Duration
    ) async throws(SharedStateError) -> Bool {
        try self.check()
        return try await self.inner.compareAndSet(key, from: expected, to: value, lifetime: lifetime)
    }

    package func extend(_ key: String, lifetime: Duration) async throws(SharedStateError) -> Bool {
        try self.check()
        return try await self.inner.extend(key, lifetime: lifetime)
    }

    package func remove(_ key: String) async throws(SharedStateError) -> Bool {
        try self.check()
        return try await self.inner.remove(key)
    }
}
