public import Foundation

/// A store that remembers when documents were last compared with their sources.
///
/// That is later than when they were indexed if they turned out to be unchanged.
public protocol FreshnessStore: Sendable {
    /// Notes that documents were found unchanged. Those that aren't there are left out. The generation stays.
    func noteChecked(_ ids: [String], at date: Date) async throws(KnowledgeError)

    /// Returns when documents were last found unchanged; those that never were are left out.
    func checkTimes(of ids: [String]) async throws(KnowledgeError) -> [String: Date]
}

/// What decides whether a document is stale.
public struct Freshness: Sendable {
    public var policy: StalenessPolicy
    let store: any FreshnessStore

    /// Creates it.
    ///
    /// - Parameters:
    ///   - policy: How old documents may be.
    ///   - store: Remembers when they were last looked at.
    public init(policy: StalenessPolicy, store: any FreshnessStore) {
        self.policy = policy
        self.store = store
    }

    /// A document as far as its age goes.
    struct Item {
        var id: String
        var source: String
        var indexedAt: Date
    }

    /// Those of some documents that are older than their sources allow.
    ///
    /// The age is counted from when the text was last compared with its source, not from when the source last changed: a
    /// page that nobody has edited for years isn't stale as long as somebody looks.
    func stale(of items: [Item], now: Date) async throws(KnowledgeError) -> Set<String> {
        var ages: [String: TimeInterval] = [:]
        for item in items {
            guard let maximum = self.policy.maximumAge(ofSource: item.source),
                now.timeIntervalSince(item.indexedAt) > maximum
            else { continue }
            ages[item.id] = maximum
        }
        guard !ages.isEmpty else { return [] }
        let checks = try await self.store.checkTimes(of: ages.keys.sorted())
        return Set(
            ages.filter { id, maximum in checks[id].map { now.timeIntervalSince($0) > maximum } ?? true }.keys
        )
    }
}
