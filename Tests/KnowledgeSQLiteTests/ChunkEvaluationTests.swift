import Foundation
import Knowledge
import KnowledgeSQLite
import Testing

@Suite("Measuring chunks")
struct ChunkEvaluationTests {
    private static let text =
        "Größe first.\n\n" + (0..<6).map { "Subject\($0) is told of here." }.joined(separator: "\n\n")

    private static func set(_ spans: String = "q\td\t14\t37\n") throws(KnowledgeError) -> ChunkEvaluationSet {
        let document = text.replacing("\n", with: "\\n")
        return try ChunkEvaluationSet(
            documents: Array("{\"id\":\"d\",\"text\":\"\(document)\"}\n".utf8),
            queries: Array("{\"id\":\"q\",\"text\":\"Subject0\"}\n{\"id\":\"r\",\"text\":\"not judged\"}\n".utf8),
            spans: Array("query_id\tdoc_id\tstart\tend\n\(spans)".utf8)
        )
    }

    @Test("Spans are read in code points and kept in bytes")
    func spans() throws {
        let span = try #require(try Self.set().queries.first?.spans.first)
        let bytes = Array(Self.text.utf8)[span.range]
        #expect(String(decoding: bytes, as: UTF8.self) == "Subject0 is told of her")
        #expect(try Self.set().queries.count == 1)
    }

    @Test(
        "A span that isn't in a document is refused",
        arguments: ["q\td\t1\t9999\n", "q\tx\t0\t1\n", "q\td\t3\n", "q\td\t5\t5\n"]
    )
    func foreignSpans(line: String) {
        let error = #expect(throws: KnowledgeError.self) { try Self.set(line) }
        #expect(error?.code == .malformed)
    }

    @Test("Recall, precision and IoU are by bytes, for chunks and for windows")
    func figures() async throws {
        for (cut, window) in [(ChunkEvaluation.Cut.structure, 230), (.windows(tokens: 5), 230)] {
            let directory = try TemporaryStore()
            var configuration = KnowledgeConfiguration()
            configuration.chunking.windowTokens = window
            let base = KnowledgeBase(
                store: try directory.open(),
                embedder: WordEmbedder(),
                configuration: configuration,
                now: { Date(timeIntervalSince1970: 0) }
            )
            let report = try await ChunkEvaluation(base: base).run(try Self.set(), cut: cut)
            #expect(report.queryCount == 1)
            #expect(report.chunkCount == (cut == .structure ? 1 : 7))
            #expect(report.recall > 0.2 && report.recall <= 1)
            #expect(abs(report.precision - report.recall * 23 / report.bytesPerQuery) < 1e-9)
            #expect(report.iou <= report.precision && report.iou > 0)
            if cut == .structure {
                #expect(report.recall == 1)
                #expect(report.bytesPerQuery == Double(Self.text.utf8.count))
            }
        }
    }
}
