import Foundation
import JSON
public import Knowledge
import Postgres

extension PostgresKnowledgeStore {
    @discardableResult
    public func write(_ document: IndexedDocument) async throws(KnowledgeError) -> Bool {
        if let model = document.model {
            guard document.entries.allSatisfy({ $0.vector?.count == model.dimension }) else {
                throw KnowledgeError(
                    .embeddingFailed,
                    "A vector doesn't have the \(model.dimension) components of its model."
                )
            }
        }
        // Cutting texts into words takes time that no transaction should be open for.
        let entries = document.entries.map(FullTextEntry.init)
        return try await self.write { connection in
            let writer = DocumentWriter(connection: connection)
            try await writer.stamp(document)
            let isNew = try await writer.upsert(document)
            let removed = try await writer.removeChunks(of: document.document.id)
            let added = try await writer.insertChunks(of: document, entries)
            try await writer.record(document.document.id, documents: isNew ? 1 : 0, removed: removed, added: added)
            return isNew
        }
    }

    @discardableResult
    public func delete(documentID: String) async throws(KnowledgeError) -> Bool {
        guard !documentID.utf8.contains(0) else { return false }
        return try await self.write { connection in
            let writer = DocumentWriter(connection: connection)
            let found = try await connection.query(
                "SELECT 1 FROM documents WHERE id = $1 FOR UPDATE",
                [.text(documentID)]
            )
            guard !found.isEmpty else { return false }
            let removed = try await writer.removeChunks(of: documentID)
            try await connection.query("DELETE FROM documents WHERE id = $1", [.text(documentID)])
            try await writer.record(documentID, documents: -1, removed: removed, added: .init())
            return true
        }
    }
}

/// The steps of a change, inside its transaction.
private struct DocumentWriter {
    let connection: PostgresConnection

    /// What was added or taken away.
    struct Amount {
        var chunks = 0
        var vectors = 0
        var length = 0
        /// In how many of the chunks each term occurs.
        var frequencies: [Int: Int] = [:]
    }

    /// Makes sure that the vectors are of the index's model; the first ones stamp it.
    func stamp(_ document: IndexedDocument) async throws {
        guard let model = document.model else { return }
        let state = try await IndexState.fetch(self.connection)
        try state.check(model)
        guard state.model == nil, !document.entries.isEmpty else { return }
        let locked = try await IndexState.fetch(self.connection, locking: true)
        try locked.check(model)
        guard locked.model == nil else { return }
        let column = try VectorColumn(dimension: model.dimension)
        try await self.connection.execute(
            script: """
                ALTER TABLE document_embeddings ALTER COLUMN embedding TYPE vector(\(column.dimension));
                \(column.createIndex())
                """
        )
        try await self.connection.query(
            "UPDATE index_state SET model_name = $1, model_dimension = $2",
            [.text(model.name), .int(model.dimension)]
        )
    }

    /// Writes the row of the document, which keeps other writers of the same document waiting.
    ///
    /// - Returns: Whether it is new.
    func upsert(_ indexed: IndexedDocument) async throws -> Bool {
        let document = indexed.document
        let rows = try await self.connection.query(
            """
            INSERT INTO documents (id, source, title, content, metadata, content_hash, model_name, chunk_count,
                access_labels, created_at, updated_at, source_updated_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10, $11)
            ON CONFLICT (id) DO UPDATE SET source = excluded.source, title = excluded.title, content = excluded.content,
                metadata = excluded.metadata, content_hash = excluded.content_hash, model_name = excluded.model_name,
                chunk_count = excluded.chunk_count, access_labels = excluded.access_labels,
                updated_at = excluded.updated_at, source_updated_at = excluded.source_updated_at
            RETURNING xmax = 0
            """,
            [
                .text(document.id), .text(document.source), .text(document.title), .text(document.text),
                .jsonb(JSONValue.object(document.metadata).serializedString()), .text(indexed.contentHash),
                .text(indexed.model?.name), .int(indexed.entries.count), .textArray(document.accessLabels.sorted()),
                .timestamptz(indexed.indexedAt), .timestamptz(document.sourceUpdatedAt),
            ]
        )
        return try rows.first?.get(0) ?? true
    }

    /// Removes a document's chunks with their postings.
    func removeChunks(of id: String) async throws -> Amount {
        var amount = Amount()
        let postings = try await self.connection.query(
            """
            WITH gone AS (
                DELETE FROM postings p
                USING (SELECT id, unnest(term_ids) AS term_id FROM document_embeddings WHERE document_id = $1) c
                WHERE p.term_id = c.term_id AND p.chunk_id = c.id
                RETURNING p.term_id
            ) SELECT term_id, count(*) FROM gone GROUP BY term_id
            """,
            [.text(id)]
        )
        for row in postings { amount.frequencies[try row.get(0)] = try row.get(1) }
        let chunks = try await self.connection.query(
            """
            WITH gone AS (DELETE FROM document_embeddings WHERE document_id = $1 RETURNING embedding IS NULL AS lacks, length)
            SELECT count(*), count(*) FILTER (WHERE NOT lacks), coalesce(sum(length), 0)::bigint FROM gone
            """,
            [.text(id)]
        )
        guard let row = chunks.first else { return amount }
        amount.chunks = try row.get(0)
        amount.vectors = try row.get(1)
        amount.length = try row.get(2)
        return amount
    }

    func insertChunks(of indexed: IndexedDocument, _ entries: [FullTextEntry]) async throws -> Amount {
        var amount = Amount()
        guard !entries.isEmpty else { return amount }
        let terms = try await self.numbers(ofTerms: Set(entries.flatMap { $0.counts.keys }).sorted())
        let ids = try await self.connection.query(
            "SELECT nextval(pg_get_serial_sequence('document_embeddings', 'id')) FROM generate_series(1, $1)",
            [.int(entries.count)]
        )
        .map { try $0.get(0, as: Int64.self) }

        var chunks: [[PostgresParameter]] = []
        var postings: [[PostgresParameter]] = []
        for (index, (entry, fullText)) in zip(indexed.entries, entries).enumerated() {
            var termIDs: [Int32] = []
            for (term, counts) in fullText.counts {
                guard let number = terms[term] else { continue }
                termIDs.append(Int32(number))
                amount.frequencies[number, default: 0] += 1
                postings.append([
                    .int4(Int32(number)), .int8(ids[index]), .int4(Int32(clamping: fullText.length)),
                    .int2(Int16(clamping: counts.context)), .int2(Int16(clamping: counts.text)),
                    .int2(Int16(clamping: counts.identifiers)),
                ])
            }
            let chunk = entry.chunk
            chunks.append([
                .int8(ids[index]), .text(indexed.document.id), .int4(Int32(clamping: chunk.index)), .text(chunk.text),
                .text(chunk.context), .textArray(chunk.headingPath), .int(chunk.span.lowerBound),
                .int(chunk.span.upperBound), .int4(Int32(clamping: fullText.length)), .int4Array(termIDs.sorted()),
                .bytea(TextHash(chunk.embeddedText).bytes), .vector(entry.vector), .timestamptz(indexed.indexedAt),
            ])
            amount.length += fullText.length
        }
        amount.chunks = entries.count
        amount.vectors = indexed.entries.count { $0.vector != nil }
        // Every vector costs the index a few milliseconds, and a document may have many.
        try await self.connection.withStatementTimeout(.seconds(600)) {
            try await self.connection.copy(
                """
                COPY document_embeddings (id, document_id, chunk_index, chunk_text, context, heading_path, span_start, span_end,
                    length, term_ids, text_hash, embedding, created_at) FROM STDIN (FORMAT binary)
                """,
                rows: chunks
            )
            try await self.connection.copy(
                """
                COPY postings (term_id, chunk_id, length, context_count, text_count, identifier_count)
                FROM STDIN (FORMAT binary)
                """,
                rows: postings
            )
        }
        return amount
    }

    /// Returns the numbers of terms; new ones get one.
    ///
    /// The terms are in order, so that two writers that add the same ones wait for one another and don't block.
    private func numbers(ofTerms terms: [String]) async throws -> [String: Int] {
        let parameter = [PostgresParameter.textArray(terms)]
        let known = "SELECT id, term FROM terms WHERE term = ANY($1)"
        var rows = try await self.connection.query(known, parameter)
        if rows.count < terms.count {
            try await self.connection.query(
                "INSERT INTO terms (term) SELECT * FROM unnest($1) ON CONFLICT (term) DO NOTHING",
                parameter
            )
            rows = try await self.connection.query(known, parameter)
        }
        var numbers: [String: Int] = [:]
        for row in rows { numbers[try row.get(1)] = try row.get(0) }
        return numbers
    }

    /// How many changes are remembered.
    private static let keptChanges = 10_000

    /// Counts the change, raises the generation and notes which document it was.
    ///
    /// It comes last, because all writers wait for one another here.
    func record(_ id: String, documents: Int, removed: Amount, added: Amount) async throws {
        try await self.connection.query(
            """
            WITH state AS (
                UPDATE index_state SET generation = generation + 1, document_count = document_count + $1,
                    chunk_count = chunk_count + $2, vector_count = vector_count + $3, term_count = term_count + $4
                RETURNING generation
            ), forgotten AS (
                DELETE FROM index_changes WHERE generation <= (SELECT generation FROM state) - \(Self.keptChanges)
            )
            INSERT INTO index_changes (generation, document_id) SELECT generation, $5 FROM state
            """,
            [
                .int(documents), .int(added.chunks - removed.chunks), .int(added.vectors - removed.vectors),
                .int(added.length - removed.length), .text(id),
            ]
        )
        let changes = added.frequencies.merging(removed.frequencies.mapValues { -$0 }, uniquingKeysWith: +)
            .filter { $0.value != 0 }
        guard !changes.isEmpty else { return }
        try await self.connection.query(
            """
            UPDATE terms t SET chunk_frequency = t.chunk_frequency + c.change
            FROM unnest($1::integer[], $2::integer[]) c (id, change) WHERE t.id = c.id
            """,
            [.int4Array(changes.map { Int32($0.key) }), .int4Array(changes.map { Int32($0.value) })]
        )
    }
}
