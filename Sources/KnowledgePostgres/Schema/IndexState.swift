import Knowledge
import Postgres

/// The one row that says what the index holds.
struct IndexState {
    struct Model: Equatable {
        var name: String
        var dimension: Int
    }

    var generation: Int64
    var model: Model?
    /// The model to which the index is being brought.
    var nextModel: Model?
    var documentCount: Int
    var chunkCount: Int
    var vectorCount: Int
    /// The number of terms in all chunks together.
    var termCount: Int

    /// Reads the row, and if asked to, keeps it from others until the transaction ends.
    static func fetch(_ connection: PostgresConnection, locking: Bool = false) async throws -> IndexState {
        let rows = try await connection.query(
            """
            SELECT generation, model_name, model_dimension, next_model_name, next_model_dimension, document_count,
                chunk_count, vector_count, term_count
            FROM index_state\(locking ? " FOR UPDATE" : "")
            """
        )
        guard let row = rows.first else {
            throw KnowledgeError(.storeFailed, "The knowledge base lacks its state; it is damaged.")
        }
        return IndexState(
            generation: try row.get(0),
            model: try Self.model(row, at: 1),
            nextModel: try Self.model(row, at: 3),
            documentCount: try row.get(5),
            chunkCount: try row.get(6),
            vectorCount: try row.get(7),
            termCount: try row.get(8)
        )
    }

    private static func model(_ row: PostgresRow, at column: Int) throws -> Model? {
        guard let name: String = try row.getIfPresent(column), let dimension: Int = try row.getIfPresent(column + 1)
        else {
            return nil
        }
        return Model(name: name, dimension: dimension)
    }

    /// Refuses another model than the one that made the index.
    func check(_ model: EmbeddingModel) throws(KnowledgeError) {
        guard let own = self.model, own != Model(model) else { return }
        throw KnowledgeError.modelMismatch(index: own.name, indexDimension: own.dimension, model: model)
    }
}

extension IndexState.Model {
    init(_ model: EmbeddingModel) { self.init(name: model.name, dimension: model.dimension) }
}
