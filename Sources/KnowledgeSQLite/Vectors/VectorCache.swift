import Foundation
import GRDB
import Knowledge
import Synchronization

/// Keeps the vectors of the newest generation in memory, and brings them up to date from the database when a search
/// finds that they are behind, no matter which process made the change.
final class VectorCache: Sendable {
    private struct State {
        var generation: Int64
        var snapshot: VectorSnapshot
    }

    private let state = Mutex<State?>(nil)
    private let maximumVectors: Int

    init(maximumVectors: Int) { self.maximumVectors = maximumVectors }

    /// Returns the vectors of the generation that a read transaction sees, or nothing if memory is ahead of it
    /// already; then the caller has to begin a new transaction.
    ///
    /// - Throws: ``KnowledgeError/Code/tooManyVectors``, and the errors of the database.
    func snapshot(in database: Database, generation: Int64, dimension: Int) throws -> VectorSnapshot? {
        // The lock is held while catching up, so that searches that begin together don't all read the same vectors.
        try self.state.withLock { state in
            if let known = state, known.snapshot.dimension == dimension {
                if known.generation == generation { return known.snapshot }
                if known.generation > generation { return nil }
            } else {
                state = nil
            }
            let next = try self.advanced(state, in: database, to: generation, dimension: dimension)
            state = State(generation: generation, snapshot: next)
            return next
        }
    }

    private func advanced(
        _ state: State?,
        in database: Database,
        to generation: Int64,
        dimension: Int
    ) throws -> VectorSnapshot {
        let oldest = try Int64.fetchOne(database, sql: "SELECT min(generation) FROM index_changes") ?? 0
        guard let state, state.generation + 1 >= oldest else {
            var snapshot = VectorSnapshot(dimension: dimension)
            try self.append(to: &snapshot, from: database, after: 0)
            return snapshot
        }
        var snapshot = state.snapshot
        let removed = try Row.fetchCursor(
            database,
            sql: """
                SELECT removed_first, removed_last FROM index_changes
                WHERE generation > ? AND removed_first IS NOT NULL
                """,
            arguments: [state.generation]
        )
        while let row = try removed.next() {
            let first: Int64 = row[0]
            let last: Int64 = row[1]
            snapshot.remove(ids: first...last)
        }
        try self.append(to: &snapshot, from: database, after: snapshot.segments.last?.ids.last ?? 0)
        return snapshot
    }

    /// Reads the vectors whose identifiers are higher than any in memory; they are new, as identifiers only grow.
    private func append(to snapshot: inout VectorSnapshot, from database: Database, after id: Int64) throws {
        let rows = try Row.fetchCursor(
            database,
            sql: """
                SELECT id, embedding FROM document_embeddings WHERE id > ? AND embedding IS NOT NULL ORDER BY id
                """,
            arguments: [id]
        )
        while let row = try rows.next() {
            guard snapshot.count < self.maximumVectors else {
                throw KnowledgeError(
                    .tooManyVectors,
                    "The index holds more than \(self.maximumVectors) vectors, which is all that memory is set aside for."
                )
            }
            snapshot.append(id: row[0], vector: try VectorBlob.vector(row[1], dimension: snapshot.dimension))
        }
    }
}
