public import Logging
import Synchronization

/// Keeps secrets that are fetched from elsewhere, for a while.
///
/// A secret is fetched once for all that ask for it at the same time, again when it is older than ``Limits/lifetime``, and
/// again when somebody is refused with it, which is how a rotation is noticed before that. While its provider is away, the
/// value that was there last goes on being used, for ``Limits/staleLifetime``; a provider that refuses is believed at once.
public final class CachedSecrets: SecretProvider {
    /// How long things are kept.
    public struct Limits: Sendable {
        /// How long a secret is used without looking for a new value.
        public var lifetime = Duration.seconds(300)
        /// The least time between two attempts to fetch one secret, after one that failed.
        public var floor = Duration.seconds(10)
        /// The least time between two attempts because somebody was refused.
        public var refusalFloor = Duration.seconds(1)
        /// How long a secret is used if no new value can be had.
        public var staleLifetime = Duration.seconds(86_400)

        public init() {}
    }

    private typealias Outcome = Result<String, SecretError>

    private struct Entry {
        var text: String?
        var fetchedAt: ContinuousClock.Instant?
        var attemptedAt: ContinuousClock.Instant?
        var failure: SecretError?
        var fetch: Task<Outcome, Never>?
    }

    private enum Plan {
        case use(String)
        case wait(Task<Outcome, Never>)
        case fail(SecretError)
    }

    /// By name.
    ///
    /// There are as many as settings name: what callers send never gets here.
    private let entries = Mutex<[String: Entry]>([:])
    private let limits: Limits
    private let logger: @Sendable () -> Logger
    private let now: @Sendable () -> ContinuousClock.Instant
    private let download: @Sendable (_ name: String) async throws(SecretError) -> String

    /// - Parameters:
    ///   - limits: How long things are kept.
    ///   - logger: Where it is logged that a secret changed or can't be had any more. It is asked for whenever it is needed,
    ///     because secrets are among the settings that say how to log.
    ///   - now: The time.
    ///   - download: Gets the whole text of a secret by its name, within a time of its own.
    public init(
        limits: Limits = Limits(),
        logger: @escaping @Sendable () -> Logger,
        now: @escaping @Sendable () -> ContinuousClock.Instant = { .now },
        download: @escaping @Sendable (_ name: String) async throws(SecretError) -> String
    ) {
        self.limits = limits
        self.logger = logger
        self.now = now
        self.download = download
    }

    public func value(of reference: SecretReference, refused: String?) async throws(SecretError) -> String {
        switch self.plan(for: reference, refused) {
        case .use(let text): return try reference.value(in: text)
        case .fail(let error): throw error
        case .wait(let fetch):
            switch await fetch.value {
            case .success(let text): return try reference.value(in: text)
            case .failure(let error):
                let old = self.entries.withLock { self.usableText($0[reference.name]) }
                guard error.isPassing, let old else { throw error }
                return try reference.value(in: old)
            }
        }
    }

    private func usableText(_ entry: Entry?) -> String? {
        guard let entry, let fetchedAt = entry.fetchedAt, self.now() - fetchedAt < self.limits.staleLifetime else {
            return nil
        }
        return entry.text
    }

    private func plan(for reference: SecretReference, _ refused: String?) -> Plan {
        self.entries.withLock { entries in
            let now = self.now()
            let name = reference.name
            var entry = entries[name] ?? Entry()
            let known = self.usableText(entry)
            let isRefused = refused != nil && known.flatMap { try? reference.value(in: $0) } == refused
            if let known, isRefused == false, entry.fetchedAt.map({ now - $0 < self.limits.lifetime }) ?? false {
                return .use(known)
            }
            if let fetch = entry.fetch { return .wait(fetch) }
            let floor = entry.failure == nil ? self.limits.refusalFloor : self.limits.floor
            if let attemptedAt = entry.attemptedAt, now - attemptedAt < floor {
                if let failure = entry.failure, known == nil || failure.isPassing == false { return .fail(failure) }
                if let known { return .use(known) }
            }
            // It ends by itself: whatever it waits for has a limit of time.
            let fetch = Task { await self.fetch(name) }
            entry.attemptedAt = now
            entry.fetch = fetch
            entries[name] = entry
            return .wait(fetch)
        }
    }

    private func fetch(_ name: String) async -> Outcome {
        let outcome: Outcome
        do throws(SecretError) {
            outcome = .success(try await self.download(name))
        } catch {
            outcome = .failure(error)
        }
        let old = self.entries.withLock { entries in
            let old = entries[name]?.text
            entries[name]?.fetch = nil
            switch outcome {
            case .success(let text):
                entries[name]?.text = text
                entries[name]?.fetchedAt = self.now()
                entries[name]?.failure = nil
            case .failure(let error):
                entries[name]?.failure = error
            }
            return old
        }
        // The first failure stops the server, which says so.
        guard let old else { return outcome }
        switch outcome {
        case .success(let text):
            if text != old { self.logger().info("secret changed", metadata: ["secret.name": "\(name)"]) }
        case .failure(let error):
            self.logger().warning("secret not fetched", metadata: ["secret.name": "\(name)", "error": "\(error)"])
        }
        return outcome
    }
}
