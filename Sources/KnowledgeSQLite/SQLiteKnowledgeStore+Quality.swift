public import Foundation
import GRDB
public import Knowledge

extension SQLiteKnowledgeStore: FeedbackStore {
    public func record(_ feedback: Feedback) async throws(KnowledgeError) -> Bool {
        try await self.write { database in
            let isNew = try Bool.fetchOne(
                database,
                sql: "SELECT NOT EXISTS (SELECT 1 FROM knowledge_feedback WHERE key = ?)",
                arguments: [feedback.key]
            )
            try database.execute(
                sql: """
                    INSERT OR REPLACE INTO knowledge_feedback
                        (key, verdict, query, answer_id, document_id, comment, principal, created_at)
                    VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                    """,
                arguments: [
                    feedback.key, feedback.verdict.rawValue, feedback.query, feedback.answerID, feedback.documentID,
                    feedback.comment, feedback.principal, feedback.createdAt.timeIntervalSince1970,
                ]
            )
            try database.execute(
                sql: """
                    DELETE FROM knowledge_feedback WHERE key IN (
                        SELECT key FROM knowledge_feedback ORDER BY created_at DESC, key LIMIT -1 OFFSET ?)
                    """,
                arguments: [Feedback.maximumKept]
            )
            return isNew ?? true
        }
    }

    public func feedback(since: Date, limit: Int) async throws(KnowledgeError) -> [Feedback] {
        try await self.read { database in
            let rows = try Row.fetchAll(
                database,
                sql: """
                    SELECT verdict, query, answer_id, document_id, comment, principal, created_at
                    FROM knowledge_feedback WHERE created_at >= ? ORDER BY created_at DESC, key LIMIT ?
                    """,
                arguments: [since.timeIntervalSince1970, limit]
            )
            return rows.compactMap { row in
                let verdict: String = row[0]
                return Feedback.Verdict(rawValue: verdict).map {
                    Feedback(
                        $0,
                        query: row[1],
                        answerID: row[2],
                        documentID: row[3],
                        comment: row[4],
                        principal: row[5],
                        createdAt: Date(timeIntervalSince1970: row[6])
                    )
                }
            }
        }
    }

    public func feedbackCounts(since: Date) async throws(KnowledgeError) -> [Feedback.Verdict: Int] {
        try await self.read { database in
            let rows = try Row.fetchAll(
                database,
                sql: "SELECT verdict, count(*) FROM knowledge_feedback WHERE created_at >= ? GROUP BY verdict",
                arguments: [since.timeIntervalSince1970]
            )
            var counts: [Feedback.Verdict: Int] = [:]
            for row in rows {
                let verdict: String = row[0]
                if let verdict = Feedback.Verdict(rawValue: verdict) { counts[verdict] = row[1] }
            }
            return counts
        }
    }
}

extension SQLiteKnowledgeStore: FreshnessStore {
    public func noteChecked(_ ids: [String], at date: Date) async throws(KnowledgeError) {
        try await self.write { database in
            let statement = try database.makeStatement(
                sql: """
                    INSERT OR REPLACE INTO document_checks (document_id, checked_at)
                    SELECT id, ? FROM documents WHERE id = ?
                    """
            )
            for id in ids { try statement.execute(arguments: [date.timeIntervalSince1970, id]) }
        }
    }

    public func checkTimes(of ids: [String]) async throws(KnowledgeError) -> [String: Date] {
        try await self.read { database in
            let statement = try database.makeStatement(
                sql: "SELECT checked_at FROM document_checks WHERE document_id = ?"
            )
            var times: [String: Date] = [:]
            for id in ids {
                guard let time = try Double.fetchOne(statement, arguments: [id]) else { continue }
                times[id] = Date(timeIntervalSince1970: time)
            }
            return times
        }
    }
}

extension SQLiteKnowledgeStore: IndexChangeLog {
    public func changes(after generation: Int64, limit: Int) async throws(KnowledgeError) -> IndexChanges {
        try await self.read { database in
            let latest = try IndexState.fetch(database).generation
            let oldest = try Int64.fetchOne(database, sql: "SELECT min(generation) FROM index_changes")
            guard latest > generation else { return IndexChanges(generation: latest, documents: [:]) }
            guard let oldest, oldest <= generation + 1 else { return IndexChanges(generation: latest, documents: nil) }
            let rows = try Row.fetchAll(
                database,
                sql: """
                    SELECT c.document_id, EXISTS (SELECT 1 FROM documents d WHERE d.id = c.document_id)
                    FROM index_changes c WHERE c.generation > ? AND c.document_id <> ''
                    GROUP BY c.document_id LIMIT ?
                    """,
                arguments: [generation, limit + 1]
            )
            guard rows.count <= limit else { return IndexChanges(generation: latest, documents: nil) }
            var documents: [String: Bool] = [:]
            for row in rows { documents[row[0]] = row[1] }
            return IndexChanges(generation: latest, documents: documents)
        }
    }
}
