import KnowledgePostgres
import Logging
import TestSupport

extension TemporarySchema {
    /// A store in the schema.
    func open(_ limits: PostgresKnowledgeStore.Limits = .init()) -> PostgresKnowledgeStore {
        PostgresKnowledgeStore(
            pool: self.pool,
            limits: limits,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        )
    }
}
