import Foundation
import Knowledge
import Testing

@testable import Embedding

/// How the cosines of the real model divide questions that mean the same from those that mean the opposite.
@Suite("Vectors of questions that are nearly the same")
struct CachedQuestionsTests {
    private static func cosines(_ name: String) async throws -> [Float] {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        let directory =
            (ProcessInfo.processInfo.environment["GANTRY_DATA_DIR"]
                ?? root.deletingLastPathComponent().path + "/.gantry") + "/models/all-MiniLM-L6-v2"
        try #require(
            FileManager.default.fileExists(atPath: directory + "/model.safetensors"),
            "The embedding model is missing: run make setup."
        )
        let embedder = try MiniLMEmbedder(modelDirectory: directory)
        let file = root.appending(path: "KnowledgeTests/QuestionPairs/\(name).tsv")
        let text = try String(contentsOf: file, encoding: .utf8)
        let questions = text.split(whereSeparator: { $0 == "\n" || $0 == "\t" }).map(String.init)
        let vectors = try await embedder.embed(questions)
        return stride(from: 0, to: vectors.count, by: 2).map { index in
            zip(vectors[index], vectors[index + 1]).reduce(0) { $0 + $1.0 * $1.1 }
        }
    }

    @Test("The threshold of the cache lets nearly all paraphrases through, and isn't what keeps opposites out")
    func threshold() async throws {
        let minimum = SemanticCache.Limits().minimumCosine
        let paraphrases = try await Self.cosines("paraphrases")
        let opposites = try await Self.cosines("opposites")
        let passed = paraphrases.count { $0 >= minimum }
        let dangerous = opposites.count { $0 >= minimum }
        print(
            "paraphrases \(passed)/\(paraphrases.count), least \(paraphrases.min() ?? 0); opposites at or above the threshold \(dangerous)/\(opposites.count), greatest \(opposites.max() ?? 0)"
        )
        #expect(passed * 10 >= paraphrases.count * 8)
        // This is why the words decide.
        #expect(dangerous > 10)
    }
}
