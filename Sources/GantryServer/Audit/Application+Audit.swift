import Access
import Audit
import AuditPostgres
import AuditSQLite
import Logging
import Postgres
import ServiceLifecycle

extension Application {
    static func auditChain(_ settings: Settings) throws(StartError) -> AuditChain {
        if let key = settings.auditKey { return AuditChain(key: Array(key.utf8)) }
        do {
            return AuditChain(key: try PrivateFile.secret(at: "\(settings.dataDirectory)/access/audit.key"))
        } catch {
            throw StartError("The key of the audit log can't be used: \(error)")
        }
    }

    /// The records: in PostgreSQL if there is one, where all servers have one log, else in a file in the data directory.
    static func auditStore(
        _ settings: Settings,
        _ chain: AuditChain,
        database: PostgresPool?,
        logger: Logger
    ) throws(StartError) -> any AuditStore {
        if let database { return PostgresAuditStore(pool: database, chain: chain, logger: logger) }
        do {
            return try SQLiteAuditStore(path: "\(settings.dataDirectory)/audit.sqlite", chain: chain)
        } catch {
            throw StartError(error.message)
        }
    }
}

/// Writes the records of calls until everything that makes some has ended.
struct AuditService: Service {
    let log: AuditLog

    func run() async throws {
        await cancelWhenGracefulShutdown { await self.log.run() }
    }
}
