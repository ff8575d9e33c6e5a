import Foundation
public import Logging
import MCPServer
import Synchronization

/// The policy as it is now: built in, or from a file that is read again when it has changed.
///
/// A file is taken whole or not at all: one with a mistake leaves the policy that was there in force.
public final class PolicySource: Sendable {
    /// A policy with what was worked out from it.
    final class Snapshot: Sendable {
        let policy: Policy
        private let rules = Mutex<[[String]: EffectiveRules]>([:])
        /// Sets of roles are few; the bound is for what isn't foreseen.
        private static let maximumRules = 1024

        init(_ policy: Policy) {
            self.policy = policy
        }

        func rules(of roles: [String]) -> EffectiveRules {
            self.rules.withLock { known in
                if let rules = known[roles] { return rules }
                if known.count >= Self.maximumRules { known.removeAll() }
                let rules = EffectiveRules(roles, in: self.policy)
                known[roles] = rules
                return rules
            }
        }
    }

    private struct State {
        var snapshot: Snapshot
        var version: [Int]?
        var checkedAt: ContinuousClock.Instant
        /// What is wrong with the file as it is now.
        var problem: String?
    }

    /// The least time between two looks at the file.
    private static let interval = Duration.seconds(1)

    private let path: String?
    private let logger: Logger
    private let now: @Sendable () -> ContinuousClock.Instant
    private let state: Mutex<State>
    private let onChange: AsyncStream<Void>.Continuation
    /// Yields when another policy has come into force.
    ///
    /// For one reader.
    public let changes: AsyncStream<Void>

    /// - Parameters:
    ///   - path: The policy file; the built-in policy without.
    ///   - logger: Where it is logged that the policy has changed, or can't be used.
    ///   - now: The time.
    /// - Throws: ``PolicyError`` if the file can't be used.
    public init(
        path: String?,
        logger: Logger,
        now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }
    ) throws(PolicyError) {
        self.path = path
        self.logger = logger
        self.now = now
        // The version before the content: what is written in between is noticed later.
        let version = path.flatMap { PrivateFile.version(of: $0) }
        let policy = if let path { try Policy(file: path) } else { Policy.builtIn }
        self.state = Mutex(State(snapshot: Snapshot(policy), version: version, checkedAt: now()))
        (self.changes, self.onChange) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// What is wrong with the file as it is now; nothing if the policy in force is that of the file.
    public var problem: String? { self.state.withLock { $0.problem } }

    /// The policy in force, after a look at the file if the last one is a second old.
    func current() -> Snapshot {
        guard let path else { return self.state.withLock { $0.snapshot } }
        let isDue = self.state.withLock { state in
            let now = self.now()
            guard now - state.checkedAt >= Self.interval else { return false }
            state.checkedAt = now
            return true
        }
        // Whoever comes meanwhile goes on with the policy that is there.
        if isDue { self.reload(path, force: false) }
        return self.state.withLock { $0.snapshot }
    }

    /// Reads the file now.
    public func reload() {
        if let path { self.reload(path, force: true) }
    }

    private func reload(_ path: String, force: Bool) {
        let version = PrivateFile.version(of: path)
        guard self.state.withLock({ force || $0.version != version }) else { return }
        do {
            let policy = try Policy(file: path)
            self.state.withLock { state in
                state.snapshot = Snapshot(policy)
                state.version = version
                state.problem = nil
            }
            self.logger.notice("policy reloaded", metadata: ["policy.file": "\(path)"])
            self.onChange.yield()
        } catch {
            self.state.withLock { state in
                state.version = version
                state.problem = error.description
            }
            self.logger.error(
                "policy refused; the one before stays in force",
                metadata: ["policy.file": "\(path)", "error": "\(error)"]
            )
        }
    }

    func principal(of token: VerifiedToken) -> Principal {
        token.principal(in: self.current())
    }
}
