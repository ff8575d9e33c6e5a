import Access
import Audit
import AuditSQLite
import ServiceLifecycle

extension Application {
    static func auditChain(_ settings: Settings) throws(StartError) -> AuditChain {
        do {
            return AuditChain(key: try PrivateFile.secret(at: "\(settings.dataDirectory)/access/audit.key"))
        } catch {
            throw StartError("The key of the audit log can't be used: \(error)")
        }
    }

    static func auditStore(_ settings: Settings, _ chain: AuditChain) throws(StartError) -> SQLiteAuditStore {
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
