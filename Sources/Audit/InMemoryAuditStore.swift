import Synchronization

/// Audit records in this process, for tests and measurements: they are gone with it.
public final class InMemoryAuditStore: AuditStore {
    private struct State {
        var entries: [AuditEntry] = []
        var ids: Set<String> = []
        var begun: [String: AuditRecord] = [:]
        var span = AuditSpan.empty
    }

    private let chain: AuditChain
    private let maximum: Int
    private let state = Mutex(State())

    /// - Parameters:
    ///   - chain: The chain with its key.
    ///   - maximum: How many records are kept; the oldest half makes room.
    public init(chain: AuditChain, maximum: Int = 100_000) {
        self.chain = chain
        self.maximum = max(2, maximum)
    }

    public func begin(_ record: AuditRecord) async throws(AuditError) {
        self.state.withLock { $0.begun[record.id] = record }
    }

    public func append(_ records: [AuditRecord]) async throws(AuditError) {
        self.state.withLock { state in
            for record in records {
                if state.begun.isEmpty == false { state.begun[record.id] = nil }
                guard state.ids.insert(record.id).inserted else { continue }
                let sequence = state.span.end + 1
                let link = self.chain.link(record, sequence: sequence, after: state.span.endLink)
                state.entries.append(AuditEntry(sequence: sequence, record: record, link: link))
                state.span.end = sequence
                state.span.endLink = link
            }
            if state.entries.count > self.maximum { Self.remove(state.entries.count / 2, &state) }
        }
    }

    public func unfinished(before time: Int) async throws(AuditError) -> [AuditRecord] {
        self.state.withLock { $0.begun.values.filter { $0.timestamp < time } }
    }

    public func entries(matching filter: AuditFilter, limit: Int) async throws(AuditError) -> [AuditEntry] {
        let entries = self.state.withLock { $0.entries }
        return Array(entries.reversed().lazy.filter(filter.matches).prefix(limit))
    }

    public func span() async throws(AuditError) -> AuditSpan { self.state.withLock { $0.span } }

    public func entries(after sequence: Int, limit: Int) async throws(AuditError) -> [AuditEntry] {
        self.state.withLock { state in
            Array(state.entries.dropFirst(max(0, sequence - state.span.start)).prefix(limit))
        }
    }

    public func prune(before time: Int) async throws(AuditError) -> Int {
        self.state.withLock { state in
            let count = state.entries.firstIndex { $0.record.timestamp >= time } ?? state.entries.count
            Self.remove(count, &state)
            return count
        }
    }

    private static func remove(_ count: Int, _ state: inout State) {
        guard count > 0 else { return }
        let last = state.entries[count - 1]
        for entry in state.entries.prefix(count) { state.ids.remove(entry.record.id) }
        state.entries.removeFirst(count)
        state.span.start = last.sequence
        state.span.startLink = last.link
    }
}

extension AuditFilter {
    /// Whether an entry is asked for.
    func matches(_ entry: AuditEntry) -> Bool {
        let record = entry.record
        if let user, record.user != user { return false }
        if let tool, record.tool != tool { return false }
        if let outcome, record.outcome != outcome { return false }
        if let target, record.targets.split(separator: ",").contains(Substring(target)) == false { return false }
        if let since, record.timestamp < since { return false }
        if let until, record.timestamp >= until { return false }
        if let before, entry.sequence >= before { return false }
        return true
    }
}
