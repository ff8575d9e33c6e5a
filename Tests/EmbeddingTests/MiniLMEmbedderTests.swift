import CKernels
import Foundation
import JSON
import Knowledge
import Testing

@testable import Embedding

/// The model that `make setup` fetches.
private enum Model {
    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()
    static let directory =
        (ProcessInfo.processInfo.environment["GANTRY_DATA_DIR"] ?? root.path + "/.gantry") + "/models/all-MiniLM-L6-v2"

    static func embedder(_ precision: MiniLMEmbedder.Precision = .auto) throws -> MiniLMEmbedder {
        try #require(
            FileManager.default.fileExists(atPath: directory + "/model.safetensors"),
            "The embedding model is missing: run make setup."
        )
        return try MiniLMEmbedder(modelDirectory: directory, precision: precision)
    }

    static func fixture(_ name: String) throws -> JSONValue {
        let path = root.path + "/Tests/EmbeddingTests/Fixtures/" + name
        return try JSONValue(parsing: Array(Data(contentsOf: URL(filePath: path))))
    }
}

@Suite("all-MiniLM-L6-v2")
struct MiniLMEmbedderTests {
    private func texts() throws -> [(text: String, ids: [Int32])] {
        try #require(Model.fixture("texts.json").arrayValue).map { entry in
            let ids = try #require(entry["ids"]?.arrayValue).compactMap { $0.intValue.map { Int32($0) } }
            return (try #require(entry["text"]?.stringValue), ids)
        }
    }

    private func tokenizer() throws -> WordPieceTokenizer {
        try WordPieceTokenizer(vocabulary: String(contentsOfFile: Model.directory + "/vocab.txt", encoding: .utf8))
    }

    @Test("Tokens are the reference tokenizer's, on 200 texts")
    func tokens() throws {
        let tokenizer = try self.tokenizer()
        for (text, ids) in try self.texts() {
            #expect(tokenizer.tokens(of: text).prefix(254).map(\.id) == ids, "\(text.prefix(60).debugDescription)")
        }
    }

    /// The ids are those of BertNormalizer, BertPreTokenizer and WordPiece of the Python package tokenizers 0.23.3.
    @Test(
        "Symbols of ASCII are words of their own, also under a stroke or an accent; marks go on in a word",
        arguments: [
            ("a≠b", [1037, 1027, 1038]), ("x≮y≯z", [1060, 1026, 1061, 1028, 1062]), ("a\u{1fef}b", [1037, 1036, 1038]),
            ("a=\u{338}b", [1037, 1027, 1038]), ("aाb", [1037, 29876, 2497]), ("कि", [1315, 29877]),
            ("İstanbul Ⅷ µ", [9960, 100, 1085]),
        ] as [(String, [Int32])]
    )
    func decomposed(text: String, ids: [Int32]) throws {
        #expect(try self.tokenizer().tokens(of: text).map(\.id) == ids)
    }

    @Test("A limit gives the first tokens, and what lies behind them is not looked at")
    func limit() throws {
        let tokenizer = try self.tokenizer()
        for (text, _) in try self.texts() {
            let all = tokenizer.tokens(of: text)
            for limit in [0, 1, 2, 7, 254] {
                #expect(tokenizer.tokens(of: text, limit: limit) == Array(all.prefix(limit)))
            }
        }
        let long = String(repeating: "Supercalifragilistic größer 漢字! ", count: 30_000)
        let clock = ContinuousClock()
        var tokens: [[WordPieceTokenizer.Token]] = []
        let whole = clock.measure { tokens.append(Array(tokenizer.tokens(of: long).prefix(254))) }
        let limited = clock.measure { tokens.append(tokenizer.tokens(of: long, limit: 254)) }
        #expect(tokens[0] == tokens[1])
        #expect(limited * 20 < whole, "\(limited) instead of \(whole)")
    }

    @Test("A word that is too long is one unknown token, from its start to its end")
    func longWord() throws {
        let text = "a " + String(repeating: "xé", count: 5000) + " b"
        let tokens = try self.tokenizer().tokens(of: text)
        #expect(tokens.map(\.span) == [0..<1, 2..<15_002, 15_003..<15_004])
        #expect(tokens[1].id == 100)
    }

    @Test("Spans are in order, within the text, and where the token came from")
    func spans() throws {
        let embedder = try Model.embedder()
        #expect(embedder.tokenSpans(of: "Héllo, wörld") == [0..<6, 6..<7, 8..<14])
        for (text, _) in try self.texts() {
            let spans = embedder.tokenSpans(of: text)
            #expect(spans.count == embedder.tokenCount(of: text))
            #expect(zip(spans, spans.dropFirst()).allSatisfy { $0.lowerBound <= $1.lowerBound })
            #expect(spans.allSatisfy { $0.lowerBound >= 0 && $0.upperBound <= text.utf8.count })
        }
    }

    @Test(
        "Vectors are the reference implementation's, in each precision",
        arguments: [(.fp32, 0.999999), (.auto, 0.9999)] as [(MiniLMEmbedder.Precision, Float)]
    )
    func vectors(precision: MiniLMEmbedder.Precision, least: Float) async throws {
        let texts = try self.texts()
        // The vectors of all 200 texts are too large to keep: `Scripts/reference-embeddings.py --all` writes them, and
        // `GANTRY_REFERENCE` names the file.
        let all = try ProcessInfo.processInfo.environment["GANTRY_REFERENCE"].map { path in
            try JSONValue(parsing: Array(Data(contentsOf: URL(filePath: path))))
        }
        let reference = try #require((all ?? Model.fixture("reference.json")).objectValue)
        let indexes = try reference.keys.map { try #require(Int($0)) }
        #expect(indexes.count == 20)
        let vectors = try await Model.embedder(precision).embed(indexes.map { texts[$0].text })
        for (index, vector) in zip(indexes, vectors) {
            let expected = try #require(reference[String(index)]?.arrayValue).compactMap {
                $0.doubleValue.map { Float($0) }
            }
            #expect(expected.count == 384)
            #expect(gantry_dot_f32(vector, expected, 384) >= least, "text \(index)")
        }
    }

    @Test("One index may hold vectors of both precisions: on 200 texts their cosine is at least .9999")
    func mixing() async throws {
        let texts = try self.texts().map(\.text)
        let exact = try await Model.embedder(.fp32).embed(texts)
        let fast = try await Model.embedder(.auto).embed(texts)
        let least = zip(exact, fast).map { gantry_dot_f32($0, $1, 384) }.min()
        #expect(try #require(least) >= 0.9999)
    }

    @Test("The fast precision is an error where the processor lacks it, and auto then means 32-bit floats")
    func precision() throws {
        #expect(try Model.embedder(.fp32).precision == .fp32)
        if gantry_has_i16(gantry_best_processor()) {
            #expect(try Model.embedder(.fast).precision == .fast)
            #expect(try Model.embedder(.auto).precision == .fast)
        } else {
            #expect(try Model.embedder(.auto).precision == .fp32)
            let error = #expect(throws: EmbeddingError.self) {
                try MiniLMEmbedder(modelDirectory: Model.directory, precision: .fast)
            }
            #expect(error?.code == .unsupportedProcessor)
        }
    }

    @Test("Queries don't wait behind an ingestion")
    func queries() async throws {
        let embedder = try Model.embedder()
        let many = [String](repeating: String(repeating: "ingestion ", count: 300), count: 200)
        try await withThrowingTaskGroup(of: Bool.self) { group in
            group.addTask {
                _ = try await embedder.embed(many, for: .index)
                return false
            }
            group.addTask {
                for _ in 0..<3 { _ = try await embedder.embed(["a query"], for: .query) }
                return true
            }
            // The ingestion is 100 passes of 512 tokens.
            let first = try await group.next()
            #expect(first == true)
            group.cancelAll()
            do {
                try await group.waitForAll()
                Issue.record("The ingestion was over before the queries.")
            } catch is CancellationError {}
        }
    }

    @Test("A vector does not depend on what it is embedded with, and has length 1")
    func batches() async throws {
        let embedder = try Model.embedder()
        let texts = (0..<40).map { String(repeating: "word \($0) ", count: 1 + $0 * 7 % 90) }
        let together = try await embedder.embed(texts)
        for index in stride(from: 0, to: texts.count, by: 13) {
            let alone = try await embedder.embed([texts[index]])[0]
            #expect(gantry_dot_f32(alone, together[index], 384) > 0.99999)
            #expect(abs(gantry_dot_f32(alone, alone, 384) - 1) < 1e-5)
        }
        #expect(try await embedder.embed([]).isEmpty)
    }

    @Test("A model that is missing or is something else is named, with what to do")
    func missing() throws {
        let error = #expect(throws: EmbeddingError.self) { try MiniLMEmbedder(modelDirectory: "/nonexistent") }
        #expect(error?.code == .modelMissing)
        #expect(error?.message.contains("make setup") == true)

        let directory = FileManager.default.temporaryDirectory.appending(path: "gantry-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        try "[UNK]\n[CLS]\n[SEP]\n".write(to: directory.appending(path: "vocab.txt"), atomically: true, encoding: .utf8)
        for bytes: [UInt8] in [
            [], [1, 2, 3], [255, 255, 255, 255, 255, 255, 255, 255, 0], [2, 0, 0, 0, 0, 0, 0, 0, 0x7b, 0x7d],
            [1, 0, 0, 0, 0, 0, 0, 0, 0x7b],
        ] {
            try Data(bytes).write(to: directory.appending(path: "model.safetensors"))
            let error = #expect(throws: EmbeddingError.self) { try MiniLMEmbedder(modelDirectory: directory.path) }
            #expect(error?.code == .modelCorrupt)
        }
    }
}

@Suite("Kernels")
struct KernelTests {
    // Many rows, so that some are fetched ahead and the last ones aren't.
    @Test("The scan is the dot product with each row", arguments: [1, 7, 400])
    func scan(count: Int) {
        let rows = (0..<(count * 33)).map { Int8($0 % 255 - 127) }
        let query = (0..<33).map { Int8($0 * 7 % 255 - 127) }
        var sums = [Int32](repeating: 0, count: count)
        gantry_scan_i8(query, rows, count, 33, &sums)
        for row in 0..<count {
            let values = rows[(row * 33)..<((row + 1) * 33)]
            let expected = zip(query, values).reduce(Int32(0)) { $0 + Int32($1.0) * Int32($1.1) }
            #expect(sums[row] == expected)
        }
    }
}
