public import Knowledge
import Postgres

extension PostgresKnowledgeStore {
    public func vectors(
        ofTexts texts: [TextHash],
        model: EmbeddingModel
    ) async throws(KnowledgeError) -> [TextHash: [Float]] {
        guard texts.count <= 1000 else {
            throw KnowledgeError(.invalidArguments, "Ask for the vectors of at most 1000 texts, not of \(texts.count).")
        }
        return try await self.read { connection in
            guard try await IndexState.fetch(connection).model == IndexState.Model(model) else { return [:] }
            var found: [TextHash: [Float]] = [:]
            for text in texts where found[text] == nil {
                let rows = try await connection.query(
                    """
                    SELECT embedding::real[] FROM document_embeddings
                    WHERE text_hash = $1 AND embedding IS NOT NULL LIMIT 1
                    """,
                    [.bytea(text.bytes)]
                )
                if let row = rows.first { found[text] = try row.get(0) }
            }
            return found
        }
    }

    public func beginReindex(model: EmbeddingModel) async throws(KnowledgeError) -> ReindexStatus {
        let column = try VectorColumn(name: "next_embedding", dimension: model.dimension)
        return try await self.write { connection in
            var state = try await IndexState.fetch(connection, locking: true)
            if state.nextModel != IndexState.Model(model) {
                try await connection.execute(
                    script: "ALTER TABLE document_embeddings DROP COLUMN IF EXISTS next_embedding"
                )
                if state.model != IndexState.Model(model) {
                    try await connection.execute(
                        script: """
                            ALTER TABLE document_embeddings ADD COLUMN next_embedding vector(\(column.dimension));
                            ALTER TABLE document_embeddings ALTER COLUMN next_embedding SET STORAGE MAIN
                            """
                    )
                }
                try await connection.query(
                    "UPDATE index_state SET next_model_name = $1, next_model_dimension = $2",
                    [.text(model.name), .int(model.dimension)]
                )
                state = try await IndexState.fetch(connection)
            }
            guard let status = try await state.reindexStatus(connection) else {
                throw KnowledgeError(.storeFailed, "The change of the model couldn't be noted.")
            }
            return status
        }
    }

    public func chunksToEmbed(after chunkID: Int64?, limit: Int) async throws(KnowledgeError) -> [ChunkToEmbed] {
        try await self.read { connection in
            let column = try await IndexState.fetch(connection).nextColumn()
            let rows = try await connection.query(
                """
                SELECT id, context, chunk_text FROM document_embeddings WHERE id > $1 AND \(column) IS NULL
                ORDER BY id LIMIT $2
                """,
                [.int8(chunkID ?? 0), .int(limit)]
            )
            return try rows.map {
                ChunkToEmbed(
                    chunkID: try $0.get(0),
                    text: Chunk.embeddedText(context: try $0.get(1), text: try $0.get(2))
                )
            }
        }
    }

    public func writeEmbeddings(_ vectors: [Int64: [Float]], model: EmbeddingModel) async throws(KnowledgeError) {
        guard vectors.values.allSatisfy({ $0.count == model.dimension }) else {
            throw KnowledgeError(
                .embeddingFailed,
                "A vector doesn't have the \(model.dimension) components of its model."
            )
        }
        try await self.write { connection in
            let state = try await IndexState.fetch(connection)
            let column = try state.nextColumn(of: model)
            // In order, so that two that do the same wait for one another and don't stand in each other's way.
            for (id, vector) in vectors.sorted(by: { $0.key < $1.key }) {
                try await connection.query(
                    "UPDATE document_embeddings SET \(column) = $1::vector WHERE id = $2 AND \(column) IS NULL",
                    [.vector(vector), .int8(id)]
                )
            }
        }
    }

    public func finishReindex(model: EmbeddingModel) async throws(KnowledgeError) -> Bool {
        let isReady = try await self.read { connection in
            let state = try await IndexState.fetch(connection)
            return try await state.lackingCount(connection, column: state.nextColumn(of: model)) == 0
        }
        guard isReady else { return false }
        try await self.buildNextIndex(model)
        return try await self.write { connection in
            // Nobody writes or searches between the last look and the swap, which takes no time.
            try await connection.execute(script: "LOCK TABLE document_embeddings IN ACCESS EXCLUSIVE MODE")
            let state = try await IndexState.fetch(connection, locking: true)
            let column = try state.nextColumn(of: model)
            guard try await state.lackingCount(connection, column: column) == 0 else { return false }
            if state.model != state.nextModel {
                try await connection.execute(
                    script: """
                        ALTER TABLE document_embeddings DROP COLUMN embedding;
                        ALTER TABLE document_embeddings RENAME COLUMN next_embedding TO embedding;
                        ALTER INDEX \(Self.nextIndexName) RENAME TO \(VectorColumn.indexName)
                        """
                )
            }
            try await connection.query("UPDATE documents SET model_name = $1", [.text(model.name)])
            try await connection.query(
                """
                UPDATE index_state SET generation = generation + 1, vector_count = chunk_count, model_name = $1,
                    model_dimension = $2, next_model_name = NULL, next_model_dimension = NULL
                """,
                [.text(model.name), .int(model.dimension)]
            )
            return true
        }
    }

    private static let nextIndexName = "document_embeddings_next_vectors"

    /// Builds the index of the new vectors while the old one goes on serving, unless it is there from before.
    private func buildNextIndex(_ model: EmbeddingModel) async throws(KnowledgeError) {
        let column = try VectorColumn(name: "next_embedding", dimension: model.dimension)
        do {
            try await self.pool.withConnection { connection in
                let state = try await IndexState.fetch(connection)
                guard state.model != state.nextModel else { return }
                let valid = try await connection.query(
                    "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass($1)",
                    [.text(Self.nextIndexName)]
                )
                if let row = valid.first {
                    if try row.get(0) { return }
                    // Left by a build that was interrupted.
                    try await connection.execute(script: "DROP INDEX \(Self.nextIndexName)")
                }
                try await connection.withStatementTimeout(nil) {
                    try await connection.execute(
                        script: column.createIndex(named: Self.nextIndexName, concurrently: true)
                    )
                }
            }
        } catch {
            throw KnowledgeError(postgres: error)
        }
    }
}

extension IndexState {
    /// Returns how far a change of the model is, or nothing if there is none.
    func reindexStatus(_ connection: PostgresConnection) async throws -> ReindexStatus? {
        guard let nextModel else { return nil }
        let lacking = try await self.lackingCount(connection, column: self.nextColumn())
        return ReindexStatus(
            modelName: nextModel.name,
            modelDimension: nextModel.dimension,
            embeddedCount: self.chunkCount - lacking,
            chunkCount: self.chunkCount
        )
    }

    /// The column that the new vectors go to: for the model that serves already, the one that serves.
    fileprivate func nextColumn() throws(KnowledgeError) -> String {
        guard let nextModel else {
            throw KnowledgeError(.invalidArguments, "The index isn't being brought to a model.")
        }
        return nextModel == self.model ? "embedding" : "next_embedding"
    }

    fileprivate func nextColumn(of model: EmbeddingModel) throws(KnowledgeError) -> String {
        let column = try self.nextColumn()
        guard let nextModel, nextModel == Model(model) else {
            throw KnowledgeError(
                .modelMismatch,
                "The index is being brought to the model \(self.nextModel?.name ?? "none"), not to \(model.name)."
            )
        }
        return column
    }

    fileprivate func lackingCount(_ connection: PostgresConnection, column: String) async throws -> Int {
        let rows = try await connection.query("SELECT count(*) FROM document_embeddings WHERE \(column) IS NULL")
        return try rows.first?.get(0) ?? 0
    }
}
