import Knowledge
import Postgres

/// A column for vectors of one model, with an HNSW index (Malkov and Yashunin, arXiv:1603.09320) over cosines.
///
/// The column holds the exact components. The index holds them in half precision: half the memory for the same results,
/// and up to 4,000 components.
struct VectorColumn {
    static let maximumDimension = 4000
    static let indexName = "document_embeddings_vectors"

    let name: String
    let dimension: Int

    init(name: String = "embedding", dimension: Int) throws(KnowledgeError) {
        guard (1...Self.maximumDimension).contains(dimension) else {
            throw KnowledgeError(
                .embeddingFailed,
                "PostgreSQL indexes vectors of 1 to \(Self.maximumDimension) components; the model has \(dimension)."
            )
        }
        self.name = name
        self.dimension = dimension
    }

    /// What is indexed, and has to stand in a query word for word for the index to be used.
    var indexed: String { "(\(self.name)::halfvec(\(self.dimension)))" }

    /// The distance between the indexed vectors and a parameter.
    func distance(to parameter: String) -> String { "\(self.indexed) <=> \(parameter)::halfvec(\(self.dimension))" }

    func createIndex(named name: String = VectorColumn.indexName, concurrently: Bool = false) -> String {
        """
        CREATE INDEX \(concurrently ? "CONCURRENTLY " : "")\(name) ON document_embeddings
        USING hnsw (\(self.indexed) halfvec_cosine_ops) WITH (m = 16, ef_construction = 64)
        """
    }
}
