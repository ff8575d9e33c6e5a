import Postgres

/// Collects the values of a statement and hands out their placeholders.
struct StatementParameters {
    private(set) var values: [PostgresParameter] = []

    /// Adds a value.
    ///
    /// - Returns: What stands for it in the statement, such as `$3`.
    mutating func bind(_ value: PostgresParameter) -> String {
        self.values.append(value)
        return "$\(self.values.count)"
    }
}
