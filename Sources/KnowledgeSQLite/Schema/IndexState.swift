import GRDB
import Knowledge

/// The one row that says what the index holds.
struct IndexState {
    var generation: Int64
    var model: (name: String, dimension: Int)?
    /// The model to which the index is being brought.
    var nextModel: (name: String, dimension: Int)?
    var documentCount: Int
    var chunkCount: Int
    var vectorCount: Int

    static func fetch(_ database: Database) throws -> IndexState {
        let row = try Row.fetchOne(
            database,
            sql: """
                SELECT (SELECT max(generation) FROM index_changes), model_name, model_dimension, document_count,
                    chunk_count, vector_count, next_model_name, next_model_dimension
                FROM index_state
                """
        )
        guard let row else { throw KnowledgeError(.storeFailed, "The knowledge base lacks its state; it is damaged.") }
        let name: String? = row[1]
        let dimension: Int? = row[2]
        let nextName: String? = row[6]
        let nextDimension: Int? = row[7]
        return IndexState(
            generation: row[0] ?? 0,
            model: name.flatMap { name in dimension.map { (name, $0) } },
            nextModel: nextName.flatMap { name in nextDimension.map { (name, $0) } },
            documentCount: row[3],
            chunkCount: row[4],
            vectorCount: row[5]
        )
    }

    /// Refuses another model than the one that made the index.
    func check(_ model: EmbeddingModel) throws {
        guard let own = self.model, own.name != model.name || own.dimension != model.dimension else { return }
        throw KnowledgeError.modelMismatch(index: own.name, indexDimension: own.dimension, model: model)
    }
}
