import Foundation
import Knowledge
import Synchronization

/// Documents in memory, for tests of what is written and removed; nothing can be searched in it.
final class MemoryStore: KnowledgeStore {
    private let documents = Mutex<[String: IndexedDocument]>([:])

    var ids: [String] { self.documents.withLock { $0.keys.sorted() } }

    func status() async throws(KnowledgeError) -> StoreStatus {
        StoreStatus(
            documentCount: self.ids.count,
            chunkCount: 0,
            vectorCount: 0,
            generation: 0,
            modelName: nil,
            modelDimension: nil
        )
    }

    func versions(ofDocuments ids: [String]) async throws(KnowledgeError) -> [String: DocumentVersion] {
        self.documents.withLock { documents in
            var versions: [String: DocumentVersion] = [:]
            for id in ids {
                guard let document = documents[id] else { continue }
                versions[id] = DocumentVersion(contentHash: document.contentHash, modelName: nil)
            }
            return versions
        }
    }

    func write(_ document: IndexedDocument) async throws(KnowledgeError) -> Bool {
        self.documents.withLock { $0.updateValue(document, forKey: document.document.id) == nil }
    }

    func delete(documentID: String) async throws(KnowledgeError) -> Bool {
        self.documents.withLock { $0.removeValue(forKey: documentID) != nil }
    }

    func document(id: String) async throws(KnowledgeError) -> StoredDocument? {
        self.documents.withLock { $0[id] }.map { StoredDocument(summary: Self.summary($0), text: $0.document.text) }
    }

    func documents(
        after cursor: String?,
        limit: Int,
        filter: DocumentFilter
    ) async throws(KnowledgeError) -> [DocumentSummary] {
        self.documents.withLock { documents in
            documents.values.map(Self.summary).filter { $0.id > cursor ?? "" }.sorted { $0.id < $1.id }
        }
        // Pages are kept small, so that a test needs several.
        .prefix(min(limit, 2)).map { $0 }
    }

    func search(
        _ request: CandidateRequest,
        select: @escaping @Sendable ([Candidate]) -> [Candidate]
    ) async throws(KnowledgeError) -> CandidateResponse {
        throw KnowledgeError(.storeFailed, "This store can't search.")
    }

    func chunks(ofDocument id: String, indexes: Range<Int>) async throws(KnowledgeError) -> [StoredChunk] {
        throw KnowledgeError(.storeFailed, "This store keeps no chunks.")
    }

    func vectors(
        ofTexts texts: [TextHash],
        model: EmbeddingModel
    ) async throws(KnowledgeError) -> [TextHash: [Float]] {
        [:]
    }

    func beginReindex(model: EmbeddingModel) async throws(KnowledgeError) -> ReindexStatus {
        throw KnowledgeError(.storeFailed, "This store keeps no vectors.")
    }

    func chunksToEmbed(after chunkID: Int64?, limit: Int) async throws(KnowledgeError) -> [ChunkToEmbed] {
        throw KnowledgeError(.storeFailed, "This store keeps no vectors.")
    }

    func writeEmbeddings(_ vectors: [Int64: [Float]], model: EmbeddingModel) async throws(KnowledgeError) {
        throw KnowledgeError(.storeFailed, "This store keeps no vectors.")
    }

    func finishReindex(model: EmbeddingModel) async throws(KnowledgeError) -> Bool {
        throw KnowledgeError(.storeFailed, "This store keeps no vectors.")
    }

    private static func summary(_ indexed: IndexedDocument) -> DocumentSummary {
        DocumentSummary(
            id: indexed.document.id,
            source: indexed.document.source,
            title: indexed.document.title,
            metadata: indexed.document.metadata,
            chunkCount: indexed.entries.count,
            createdAt: indexed.indexedAt,
            indexedAt: indexed.indexedAt,
            sourceUpdatedAt: indexed.document.sourceUpdatedAt,
            version: DocumentVersion(contentHash: indexed.contentHash, modelName: nil)
        )
    }
}
