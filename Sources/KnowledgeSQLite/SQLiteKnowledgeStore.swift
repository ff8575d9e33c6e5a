import Foundation
import GRDB
public import Knowledge

/// A knowledge store in one SQLite file, with full-text search by FTS5 and vector search in memory.
///
/// Several processes may use the file at the same time. Reading doesn't wait for writing (write-ahead log).
public final class SQLiteKnowledgeStore: KnowledgeStore {
    /// The most that a store holds and does.
    public struct Limits: Sendable {
        /// The most vectors.
        ///
        /// In memory each takes a byte per component and 12 more: 1,000,000 of 384 take 400 MB.
        public var maximumVectors = 1_000_000

        /// How many pairs of a query's word and a chunk that holds it a search keeps in memory, at 16 bytes each.
        ///
        /// With more, the full-text index is read a second time instead; the results are the same.
        public var maximumPostings = 4_000_000

        /// How many searches run at the same time.
        public var maximumReaders = 4

        /// How long a writer waits for another process to finish writing.
        public var busyTimeout: Duration = .seconds(10)

        /// For how many changes back the vectors in memory can be brought up to date without reading all anew.
        public var keptChanges = 10_000

        /// Creates the defaults.
        public init() {}
    }

    let pool: DatabasePool
    let limits: Limits
    let vectors: VectorCache

    /// Opens a store, or makes an empty one where there is none, and brings its schema up to date.
    ///
    /// - Parameters:
    ///   - path: The file. Its directory has to exist.
    ///   - limits: The most that the store holds and does.
    /// - Throws: ``KnowledgeError/Code/newerSchema`` if a newer version of this program made the file,
    ///   ``KnowledgeError/Code/storeFailed`` if it can't be opened.
    public init(path: String, limits: Limits = Limits()) throws(KnowledgeError) {
        self.limits = limits
        self.vectors = VectorCache(maximumVectors: limits.maximumVectors)
        do {
            self.pool = try DatabasePool(path: path, configuration: Self.configuration(limits))
            try Self.migrate(self.pool)
        } catch {
            throw KnowledgeError(store: error)
        }
    }

    private static func configuration(_ limits: Limits) -> Configuration {
        var configuration = Configuration()
        configuration.maximumReaderCount = limits.maximumReaders
        configuration.busyMode = .timeout(limits.busyTimeout / .seconds(1))
        configuration.foreignKeysEnabled = true
        configuration.label = "knowledge"
        return configuration
    }

    private static func migrate(_ pool: DatabasePool) throws {
        let migrator = KnowledgeMigrations.migrator
        guard try !pool.read({ try migrator.hasBeenSuperseded($0) }) else {
            throw KnowledgeError(
                .newerSchema,
                "The knowledge base was made by a newer version of this program; use that version."
            )
        }
        try migrator.migrate(pool)
    }

    /// Reads in one transaction, on one of the pool's own threads.
    func read<T: Sendable>(_ body: @escaping @Sendable (Database) throws -> T) async throws(KnowledgeError) -> T {
        do { return try await self.pool.read(body) } catch { throw KnowledgeError(store: error) }
    }

    /// Reads and writes in one transaction, after those that came before it.
    func write<T: Sendable>(_ body: @escaping @Sendable (Database) throws -> T) async throws(KnowledgeError) -> T {
        do { return try await self.pool.write(body) } catch { throw KnowledgeError(store: error) }
    }
}

extension KnowledgeError {
    /// Tells callers what failed without what the database said, which goes to the log.
    init(store error: any Error) {
        switch error {
        case let error as KnowledgeError: self = error
        case is CancellationError: self.init(.cancelled, "The task was cancelled.")
        case let error as DatabaseError where error.resultCode == .SQLITE_INTERRUPT:
            self.init(.cancelled, "The task was cancelled.", cause: error)
        case let error as DatabaseError where error.resultCode == .SQLITE_BUSY:
            self.init(.storeFailed, "The knowledge base is busy; another process is writing. Try again.", cause: error)
        case let error as DatabaseError where error.resultCode == .SQLITE_FULL:
            self.init(.storeFailed, "There is no room left for the knowledge base.", cause: error)
        case let error as DatabaseError
        where error.resultCode == .SQLITE_CORRUPT || error.resultCode == .SQLITE_NOTADB:
            self.init(.storeFailed, "The file of the knowledge base is damaged or isn't one.", cause: error)
        default: self.init(.storeFailed, "The knowledge base can't be read or written.", cause: error)
        }
    }
}
