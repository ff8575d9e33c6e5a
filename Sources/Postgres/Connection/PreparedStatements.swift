/// The statements that a connection has prepared.
///
/// At most so many are kept; the one that was not used for longest goes.
struct PreparedStatements {
    /// A statement is the same only if its values have the same types.
    private struct Key: Hashable {
        var sql: String
        var types: [UInt32]

        init(_ sql: String, _ parameters: [PostgresParameter]) {
            self.sql = sql
            self.types = parameters.map(\.type)
        }
    }

    private struct Entry {
        var name: String
        var lastUse: UInt64
    }

    private let limit: Int
    private var entries: [Key: Entry] = [:]
    private var uses: UInt64 = 0
    private var names: UInt64 = 0

    /// - Parameter limit: How many are kept; at least one.
    init(limit: Int) { self.limit = max(limit, 1) }

    /// The name of a statement, if it has been prepared.
    mutating func name(of sql: String, _ parameters: [PostgresParameter]) -> String? {
        let key = Key(sql, parameters)
        self.uses += 1
        guard let name = self.entries[key]?.name else { return nil }
        self.entries[key]?.lastUse = self.uses
        return name
    }

    /// A name that no statement of the connection has had.
    mutating func nextName() -> String {
        self.names += 1
        return "gantry_\(self.names)"
    }

    /// Remembers a statement that has been prepared.
    mutating func add(_ sql: String, _ parameters: [PostgresParameter], name: String) {
        self.uses += 1
        self.entries[Key(sql, parameters)] = Entry(name: name, lastUse: self.uses)
    }

    /// Forgets a statement.
    mutating func remove(_ sql: String, _ parameters: [PostgresParameter]) {
        self.entries.removeValue(forKey: Key(sql, parameters))
    }

    /// Makes room for one more.
    ///
    /// - Returns: The name of the statement to deallocate, if there is one.
    mutating func removeOldestIfFull() -> String? {
        guard self.entries.count >= self.limit,
            let oldest = self.entries.min(by: { $0.value.lastUse < $1.value.lastUse })
        else { return nil }
        self.entries.removeValue(forKey: oldest.key)
        return oldest.value.name
    }
}
