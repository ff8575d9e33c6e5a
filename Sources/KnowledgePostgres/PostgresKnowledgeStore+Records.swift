public import Foundation
public import Knowledge
import Postgres

extension PostgresKnowledgeStore: FeedbackStore {
    public func record(_ feedback: Feedback) async throws(KnowledgeError) -> Bool {
        try await self.write { connection in
            let rows = try await connection.query(
                """
                INSERT INTO knowledge_feedback (key, verdict, query, answer_id, document_id, comment, principal, created_at)
                VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
                ON CONFLICT (key) DO UPDATE SET verdict = excluded.verdict, comment = excluded.comment,
                    created_at = excluded.created_at
                RETURNING xmax = 0
                """,
                [
                    .text(feedback.key), .text(feedback.verdict.rawValue), .text(feedback.query),
                    .text(feedback.answerID),
                    .text(feedback.documentID), .text(feedback.comment), .text(feedback.principal),
                    .timestamptz(feedback.createdAt),
                ]
            )
            try await connection.query(
                """
                DELETE FROM knowledge_feedback WHERE key IN (
                    SELECT key FROM knowledge_feedback ORDER BY created_at DESC, key OFFSET $1)
                """,
                [.int(Feedback.maximumKept)]
            )
            return try rows.first?.get(0) ?? true
        }
    }

    public func feedback(since: Date, limit: Int) async throws(KnowledgeError) -> [Feedback] {
        try await self.read { connection in
            let rows = try await connection.query(
                """
                SELECT verdict, query, answer_id, document_id, comment, principal, created_at
                FROM knowledge_feedback WHERE created_at >= $1 ORDER BY created_at DESC, key LIMIT $2
                """,
                [.timestamptz(since), .int(limit)]
            )
            return try rows.compactMap { row in
                guard let verdict = Feedback.Verdict(rawValue: try row.get(0)) else { return nil }
                return Feedback(
                    verdict,
                    query: try row.getIfPresent(1),
                    answerID: try row.getIfPresent(2),
                    documentID: try row.getIfPresent(3),
                    comment: try row.getIfPresent(4),
                    principal: try row.get(5),
                    createdAt: try row.get(6)
                )
            }
        }
    }

    public func feedbackCounts(since: Date) async throws(KnowledgeError) -> [Feedback.Verdict: Int] {
        try await self.read { connection in
            let rows = try await connection.query(
                "SELECT verdict, count(*) FROM knowledge_feedback WHERE created_at >= $1 GROUP BY verdict",
                [.timestamptz(since)]
            )
            var counts: [Feedback.Verdict: Int] = [:]
            for row in rows {
                if let verdict = Feedback.Verdict(rawValue: try row.get(0)) { counts[verdict] = try row.get(1) }
            }
            return counts
        }
    }
}

extension PostgresKnowledgeStore: FreshnessStore {
    public func noteChecked(_ ids: [String], at date: Date) async throws(KnowledgeError) {
        try await self.write { connection in
            _ = try await connection.query(
                """
                INSERT INTO document_checks (document_id, checked_at)
                SELECT id, $2 FROM documents WHERE id = ANY($1) ORDER BY id
                ON CONFLICT (document_id) DO UPDATE SET checked_at = excluded.checked_at
                """,
                [.textArray(ids.filter { !$0.utf8.contains(0) }), .timestamptz(date)]
            )
        }
    }

    public func checkTimes(of ids: [String]) async throws(KnowledgeError) -> [String: Date] {
        try await self.read { connection in
            let rows = try await connection.query(
                "SELECT document_id, checked_at FROM document_checks WHERE document_id = ANY($1)",
                [.textArray(ids.filter { !$0.utf8.contains(0) })]
            )
            var times: [String: Date] = [:]
            for row in rows { times[try row.get(0)] = try row.get(1, as: Date.self) }
            return times
        }
    }
}

extension PostgresKnowledgeStore: IndexChangeLog {
    public func changes(after generation: Int64, limit: Int) async throws(KnowledgeError) -> IndexChanges {
        try await self.read { connection in
            let latest = try await IndexState.fetch(connection).generation
            guard latest > generation else { return IndexChanges(generation: latest, documents: [:]) }
            let oldest: Int64? = try await connection.query("SELECT min(generation) FROM index_changes").first?
                .getIfPresent(0)
            guard let oldest, oldest <= generation + 1 else { return IndexChanges(generation: latest, documents: nil) }
            let rows = try await connection.query(
                """
                SELECT c.document_id, EXISTS (SELECT 1 FROM documents d WHERE d.id = c.document_id)
                FROM index_changes c WHERE c.generation > $1 GROUP BY c.document_id LIMIT $2
                """,
                [.int8(generation), .int(limit + 1)]
            )
            guard rows.count <= limit else { return IndexChanges(generation: latest, documents: nil) }
            var documents: [String: Bool] = [:]
            for row in rows { documents[try row.get(0)] = try row.get(1, as: Bool.self) }
            return IndexChanges(generation: latest, documents: documents)
        }
    }
}
