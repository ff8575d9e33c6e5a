import Foundation
import GRDB
public import Knowledge

extension SQLiteKnowledgeStore {
    public func vectors(
        ofTexts texts: [TextHash],
        model: EmbeddingModel
    ) async throws(KnowledgeError) -> [TextHash: [Float]] {
        guard texts.count <= 1000 else {
            throw KnowledgeError(.invalidArguments, "Ask for the vectors of at most 1000 texts, not of \(texts.count).")
        }
        return try await self.read { database in
            guard let own = try IndexState.fetch(database).model, own == (model.name, model.dimension) else {
                return [:]
            }
            let statement = try database.makeStatement(
                sql: """
                    SELECT embedding FROM document_embeddings WHERE text_hash = ? AND embedding IS NOT NULL LIMIT 1
                    """
            )
            var found: [TextHash: [Float]] = [:]
            for text in texts where found[text] == nil {
                guard let data = try Data.fetchOne(statement, arguments: [Data(text.bytes)]) else { continue }
                found[text] = try VectorBlob.vector(data, dimension: model.dimension)
            }
            return found
        }
    }

    public func beginReindex(model: EmbeddingModel) async throws(KnowledgeError) -> ReindexStatus {
        try await self.write { [limits] database in
            let state = try IndexState.fetch(database)
            guard state.chunkCount <= limits.maximumVectors else {
                throw KnowledgeError(
                    .tooManyVectors,
                    "The index holds \(state.chunkCount) chunks and may hold \(limits.maximumVectors) vectors."
                )
            }
            if state.nextModel.map({ $0 != (model.name, model.dimension) }) ?? true {
                try database.execute(
                    sql: """
                        DELETE FROM next_embeddings;
                        UPDATE index_state SET next_model_name = ?, next_model_dimension = ?;
                        """,
                    arguments: [model.name, model.dimension]
                )
            }
            let status = try IndexState.fetch(database).reindexStatus(in: database)
            guard let status else { throw KnowledgeError(.storeFailed, "The change of the model couldn't be noted.") }
            return status
        }
    }

    public func chunksToEmbed(after chunkID: Int64?, limit: Int) async throws(KnowledgeError) -> [ChunkToEmbed] {
        try await self.read { database in
            let state = try IndexState.fetch(database)
            let rows = try Row.fetchAll(
                database,
                sql: """
                    SELECT e.id, e.context, e.chunk_text FROM document_embeddings e
                    WHERE e.id > ? AND \(try state.lacksNextVector) ORDER BY e.id LIMIT ?
                    """,
                arguments: [chunkID ?? 0, limit]
            )
            return rows.map { ChunkToEmbed(chunkID: $0[0], text: Chunk.embeddedText(context: $0[1], text: $0[2])) }
        }
    }

    public func writeEmbeddings(_ vectors: [Int64: [Float]], model: EmbeddingModel) async throws(KnowledgeError) {
        guard vectors.values.allSatisfy({ $0.count == model.dimension }) else {
            throw KnowledgeError(
                .embeddingFailed,
                "A vector doesn't have the \(model.dimension) components of its model."
            )
        }
        try await self.write { database in
            try IndexState.fetch(database).checkNext(model)
            let statement = try database.makeStatement(
                sql: """
                    INSERT OR REPLACE INTO next_embeddings (chunk_id, embedding)
                    SELECT id, ? FROM document_embeddings WHERE id = ?
                    """
            )
            for (id, vector) in vectors { try statement.execute(arguments: [VectorBlob.data(vector), id]) }
        }
    }

    public func finishReindex(model: EmbeddingModel) async throws(KnowledgeError) -> Bool {
        try await self.write { database in
            let state = try IndexState.fetch(database)
            try state.checkNext(model)
            let lacking = "SELECT EXISTS (SELECT 1 FROM document_embeddings e WHERE \(try state.lacksNextVector))"
            guard try Bool.fetchOne(database, sql: lacking) == false else { return false }
            try database.execute(
                sql: """
                    UPDATE document_embeddings SET embedding = n.embedding FROM next_embeddings n WHERE n.chunk_id = id;
                    DELETE FROM next_embeddings;
                    UPDATE documents SET model_name = :name;
                    UPDATE index_state SET model_name = :name, model_dimension = :dimension, vector_count = chunk_count,
                        next_model_name = NULL, next_model_dimension = NULL;
                    """,
                arguments: ["name": model.name, "dimension": model.dimension]
            )
            // As if all chunks had been taken away and come anew: vectors in memory are read again.
            try database.execute(
                sql: "INSERT INTO index_changes (document_id, removed_first, removed_last) VALUES ('', 0, ?)",
                arguments: [Int64.max - 1]
            )
            return true
        }
    }
}

extension IndexState {
    /// Returns how far a change of the model is, or nothing if there is none.
    func reindexStatus(in database: Database) throws -> ReindexStatus? {
        guard let nextModel else { return nil }
        let lacking = try Int.fetchOne(
            database,
            sql: "SELECT count(*) FROM document_embeddings e WHERE \(try self.lacksNextVector)"
        )
        return ReindexStatus(
            modelName: nextModel.name,
            modelDimension: nextModel.dimension,
            embeddedCount: self.chunkCount - (lacking ?? 0),
            chunkCount: self.chunkCount
        )
    }

    /// The condition for rows of `document_embeddings e` that still need a vector.
    fileprivate var lacksNextVector: String {
        get throws {
            guard let nextModel else {
                throw KnowledgeError(.invalidArguments, "The index isn't being brought to a model.")
            }
            let lacks = "NOT EXISTS (SELECT 1 FROM next_embeddings n WHERE n.chunk_id = e.id)"
            let isSame = self.model.map { $0 == nextModel } ?? false
            return isSame ? "e.embedding IS NULL AND \(lacks)" : lacks
        }
    }

    fileprivate func checkNext(_ model: EmbeddingModel) throws {
        guard let nextModel else {
            throw KnowledgeError(.invalidArguments, "The index isn't being brought to a model.")
        }
        guard nextModel == (model.name, model.dimension) else {
            throw KnowledgeError(
                .modelMismatch,
                "The index is being brought to the model \(nextModel.name), not to \(model.name)."
            )
        }
    }
}
