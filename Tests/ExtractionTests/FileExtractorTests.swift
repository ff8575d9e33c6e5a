import JSON
import Knowledge
import Testing

@testable import Extraction

@Suite("Finding documents in files")
struct FileExtractorTests {
    private static func documents(_ text: String, path: String) async throws -> [Document] {
        try await FileExtractor().documents(in: Array(text.utf8), path: path).documents
    }

    private static func expect(
        _ code: KnowledgeError.Code,
        path: String,
        bytes: [UInt8],
        limits: ExtractionLimits = .init()
    ) async {
        let error = await #expect(throws: KnowledgeError.self) {
            try await FileExtractor(limits: limits).documents(in: bytes, path: path)
        }
        #expect(error?.code == code)
        #expect(error?.message.contains(path) == true)
    }

    @Test(
        "Kinds of files",
        arguments: [
            ("docs/a.md", "# The title\nText.", "The title"), ("a.markdown", "Text.", "a.markdown"),
            ("a.txt", "# not a heading", "a.txt"), ("README", "Text.", "README"),
            ("src/main.swift", "let x = 1", "src/main.swift"),
            ("a.html", "<title> A  page </title><p>Text", "A page"),
            ("page", "<!doctype html><title>B</title><p>x", "B"),
            ("a.pdf", "<!doctype html><title>Not found</title><p>x", "Not found"),
            ("a.rst", "The title\n=========\n\nText.", "The title"),
        ]
    )
    func kinds(path: String, text: String, title: String) async throws {
        let document = try #require(try await Self.documents(text, path: path).first)
        #expect(document.id == path)
        #expect(document.source == path)
        #expect(document.title == title)
        #expect(!document.blocks.isEmpty)
    }

    @Test("Source code is split at empty lines and declarations, and its text is left as it is")
    func sourceCode() async throws {
        let text = "func a() {\n    b()\n}\n\nfunc c() {}\n"
        let document = try #require(try await Self.documents(text, path: "a.go").first)
        #expect(document.text == text)
        #expect(
            document.blocks == [
                Block(.code, span: 0..<20, symbols: ["a"]), Block(.code, span: 22..<33, symbols: ["c"]),
            ]
        )
    }

    @Test("A byte order mark is no text")
    func byteOrderMark() async throws {
        #expect(try await Self.documents("\u{FEFF}# Title", path: "a.md").first?.text == "# Title")
    }

    @Test("Text in UTF-16 with a byte order mark is read", arguments: [false, true])
    func utf16(isBigEndian: Bool) async throws {
        let units = Array("\u{FEFF}Grüße 👋".utf16)
        let bytes = units.flatMap { unit in
            let (high, low) = (UInt8(unit >> 8), UInt8(unit & 0xFF))
            return isBigEndian ? [high, low] : [low, high]
        }
        #expect(try await FileExtractor().documents(in: bytes, path: "a.txt").documents.first?.text == "Grüße 👋")
        await Self.expect(.invalidText, path: "a.txt", bytes: bytes.dropLast())
        await Self.expect(.invalidText, path: "a.txt", bytes: bytes.dropLast(2))
    }

    @Test(
        "Bytes that aren't text are refused, whatever the name says",
        arguments: [
            ("a.md", Array("%PDF-1.7 x".utf8), KnowledgeError.Code.malformed),
            ("a.pdf", Array("Just text".utf8), .unsupportedFormat),
            ("a.docx", Array("Just text".utf8), .unsupportedFormat),
            ("a.txt", [0x1F, 0x8B, 0x08], .unsupportedFormat),
            ("a.html", [0x89, 0x50, 0x4E, 0x47, 0x0D], .unsupportedFormat),
            ("a.docx", [0x50, 0x4B, 0x03, 0x04, 0x14], .malformed),
            ("a.txt", [0xFF, 0xFE, 0x41, 0x00, 0x00, 0xD8], .invalidText),
            ("a.txt", [0x41, 0x00, 0x42], .invalidText),
            ("a.txt", [0x47, 0x72, 0xFC, 0xDF, 0x65], .invalidText),
            ("a.md", [0xC0, 0xAF], .invalidText),
            ("a.md", [0xED, 0xA0, 0x80], .invalidText),
            ("a.md", Array(" \n\t".utf8), .emptyDocument),
            ("a.html", Array("<script>x</script>".utf8), .emptyDocument),
            ("a.html", [], .emptyDocument),
        ] as [(String, [UInt8], KnowledgeError.Code)]
    )
    func refused(path: String, bytes: [UInt8], code: KnowledgeError.Code) async {
        await Self.expect(code, path: path, bytes: bytes)
    }

    @Test("Files that are too large are refused")
    func tooLarge() async {
        var limits = ExtractionLimits()
        limits.maximumFileBytes = 10
        limits.maximumJSONLinesBytes = 20
        limits.maximumLines = 2
        limits.maximumTextLineBytes = 3
        await Self.expect(.tooManyLines, path: "a.md", bytes: Array("1\n2\n3\n".utf8), limits: limits)
        await Self.expect(.lineTooLong, path: "a.txt", bytes: Array("1\n1234\n".utf8), limits: limits)
        await Self.expect(.tooLarge, path: "a.md", bytes: Array("12345678901".utf8), limits: limits)
        await Self.expect(.tooLarge, path: "a.jsonl", bytes: [UInt8](repeating: 0x20, count: 21), limits: limits)
    }

    @Test("JSON Lines: one document per line, and each bad line by its number")
    func jsonLines() async throws {
        let text = """
            {"id": "a", "title": "A", "text": "One", "url": "https://example.org/a", "team": "x"}

            {"id": "b", "text": "Two"}
            {"id": "c"}
            not JSON
            [1]
            {"id": 7, "text": "x"}
            {"id": "d", "text": "Four", "title": 4}
            """
        let result = try await FileExtractor().documents(in: Array(text.utf8), path: "notes.jsonl")
        #expect(result.documents.map(\.id) == ["a", "b"])
        #expect(result.documents.map(\.source) == ["https://example.org/a", "notes.jsonl"])
        #expect(result.documents[0].metadata == ["url": "https://example.org/a", "team": "x"])
        #expect(result.failures.map(\.source) == (4...8).map { "notes.jsonl:\($0)" })
        #expect(result.failures.allSatisfy { $0.error.code == .malformed && $0.error.message.hasPrefix($0.source) })
    }

    @Test("JSON Lines without a single document is an error of the file")
    func noJSONLines() async {
        await Self.expect(.malformed, path: "a.jsonl", bytes: Array("# Markdown\ntext".utf8))
        await Self.expect(.emptyDocument, path: "a.jsonl", bytes: Array("\n\n".utf8))
        await Self.expect(.invalidText, path: "a.jsonl", bytes: [0x7B, 0x00, 0x7D])
    }

    @Test("A line that is too long or too deep fails alone")
    func hostileLines() async throws {
        var limits = ExtractionLimits()
        limits.maximumLineBytes = 1000
        let deep = String(repeating: "[", count: 400) + String(repeating: "]", count: 400)
        let lines = [
            #"{"id": "ok", "text": "x"}"#, #"{"id": "long", "text": "\#(String(repeating: "x", count: 1000))"}"#,
            #"{"id": "deep", "text": "x", "m": \#(deep)}"#,
        ]
        let bytes = Array(lines.joined(separator: "\n").utf8)
        let result = try await FileExtractor(limits: limits).documents(in: bytes, path: "a.jsonl")
        #expect(result.documents.map(\.id) == ["ok"])
        #expect(result.failures.map(\.error.code) == [.lineTooLong, .malformed])
    }

    @Test(
        "Folders are walked by name",
        arguments: [("a.md", true), ("a.PNG", false), ("LICENSE", true), ("x.tar.gz", false)]
    )
    func canRead(path: String, isReadable: Bool) {
        #expect(FileExtractor.canRead(path: path) == isReadable)
    }
}
