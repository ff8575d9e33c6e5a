import Foundation
import Knowledge
import Testing

@Suite("Ingesting files again")
struct FileIngestTests {
    /// Finds a document `id text` in each line, and a failure in a line of one word.
    ///
    /// A file without a line end is one document.
    private struct LineExtractor: DocumentExtractor {
        func documents(in bytes: [UInt8], path: String) throws(KnowledgeError) -> ExtractedDocuments {
            let text = String(decoding: bytes, as: UTF8.self)
            guard text.contains("\n") else {
                return ExtractedDocuments(documents: [Document(id: path, text: text)])
            }
            var result = ExtractedDocuments(documents: [])
            for line in text.split(separator: "\n") {
                let parts = line.split(separator: " ", maxSplits: 1).map(String.init)
                if parts.count == 2 {
                    result.documents.append(Document(id: parts[0], source: "https://example.org", text: parts[1]))
                } else {
                    result.failures.append(.init(source: path, error: KnowledgeError(.malformed, "A bad line.")))
                }
            }
            return result
        }
    }

    private let store = MemoryStore()

    private func ingest(_ files: (path: String, text: String)...) async throws -> IngestReport {
        let base = KnowledgeBase(
            store: self.store,
            embedder: nil,
            extractor: LineExtractor(),
            now: { Date(timeIntervalSince1970: 0) }
        )
        return try await base.ingest(files: files.map { SourceFile(path: $0.path, bytes: Array($0.text.utf8)) })
    }

    @Test("Documents whose lines are gone from the file are removed, and nothing else is")
    func removed() async throws {
        _ = try await self.ingest(("a", "a1 one\na2 two\na3 three\n"), ("b", "b1 one\n"), ("whole", "Text."))
        let report = try await self.ingest(("a", "a2 two\na4 four\n"))
        #expect(self.store.ids == ["a2", "a4", "b1", "whole"])
        #expect([report.addedCount, report.unchangedCount, report.removedCount] as [Int] == [1, 1, 2])
        let removed = report.results.filter { $0.outcome.name == "removed" }
        #expect(removed.map(\.documentID) == ["a1", "a3"])
        #expect(removed.map(\.source) == ["https://example.org", "https://example.org"])
    }

    @Test("Documents are as old as their file")
    func dates() async throws {
        let base = KnowledgeBase(store: self.store, embedder: nil, extractor: LineExtractor(), now: { Date() })
        let date = Date(timeIntervalSince1970: 1_600_000_000)
        try await base.ingest(files: [
            SourceFile(path: "dated", updatedAt: date) { Array("Text.".utf8) },
            SourceFile(path: "undated") { Array("Text.".utf8) },
        ])
        #expect(try await base.document(id: "dated")?.summary.sourceUpdatedAt == date)
        #expect(try await base.document(id: "undated")?.summary.sourceUpdatedAt == nil)
    }

    @Test("A line that can't be read may be the one that is missing: nothing is removed")
    func unreadable() async throws {
        _ = try await self.ingest(("a", "a1 one\na2 two\n"))
        let report = try await self.ingest(("a", "a1\na2 two\n"))
        #expect(self.store.ids == ["a1", "a2"])
        #expect([report.failedCount, report.removedCount] as [Int] == [1, 0])
    }

    @Test("A document that has moved to another file stays, in either order of the files", arguments: [true, false])
    func moved(newFileFirst: Bool) async throws {
        _ = try await self.ingest(("a", "a1 one\nx old\n"), ("b", "b1 one\n"))
        let a = (path: "a", text: "a1 one\n")
        let b = (path: "b", text: "b1 one\nx old\n")
        if newFileFirst { _ = try await self.ingest(b, a) } else { _ = try await self.ingest(a, b) }
        #expect(self.store.ids == ["a1", "b1", "x"])
        _ = try await self.ingest(a)
        #expect(self.store.ids == ["a1", "b1", "x"])
        let report = try await self.ingest(("b", "b1 one\n"))
        #expect(self.store.ids == ["a1", "b1"])
        #expect(report.removedCount == 1)
    }

    @Test("A document that fails to be indexed is still one of the file's")
    func failedDocument() async throws {
        _ = try await self.ingest(("a", "a1 one\na2 two\n"))
        let report = try await self.ingest(("a", "a1  \na2 two\n"))
        #expect(self.store.ids == ["a1", "a2"])
        #expect([report.failedCount, report.removedCount] as [Int] == [1, 0])
    }
}
