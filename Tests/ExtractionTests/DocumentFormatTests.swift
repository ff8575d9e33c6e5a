import Knowledge
import Testing

@testable import Extraction

@Suite("Reading PDF and Word")
struct DocumentFormatTests {
    /// A ZIP archive whose entries are stored as they are.
    private static func zip(_ entries: [(name: String, content: String)], flags: UInt8 = 0) -> [UInt8] {
        func number(_ value: Int, _ count: Int) -> [UInt8] { (0..<count).map { UInt8(value >> ($0 * 8) & 0xFF) } }
        var bytes: [UInt8] = []
        var directory: [UInt8] = []
        for entry in entries {
            let content = Array(entry.content.utf8)
            let name = Array(entry.name.utf8)
            let common =
                [flags, 0] + number(0, 2) + number(0, 8) + number(content.count, 4) + number(content.count, 4)
                + number(name.count, 2) + number(0, 2)
            directory += [0x50, 0x4B, 1, 2, 20, 0, 20, 0] + common + number(0, 10) + number(bytes.count, 4) + name
            bytes += [0x50, 0x4B, 3, 4, 20, 0] + common + name + content
        }
        let end = number(entries.count, 2) + number(directory.count, 4) + number(bytes.count, 4) + number(0, 2)
        return bytes + directory + [0x50, 0x4B, 5, 6, 0, 0, 0, 0] + number(entries.count, 2) + end
    }

    private static func word(_ body: String, styles: String = "") -> [UInt8] {
        let space = #"xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main""#
        return Self.zip([
            ("[Content_Types].xml", "<Types/>"),
            ("word/document.xml", "<?xml version=\"1.0\"?><w:document \(space)><w:body>\(body)</w:body></w:document>"),
            ("word/styles.xml", "<w:styles \(space)>\(styles)</w:styles>"),
        ])
    }

    private static func expect(_ code: KnowledgeError.Code, _ bytes: [UInt8], _ path: String) async {
        let error = await #expect(throws: KnowledgeError.self) {
            try await FileExtractor().documents(in: bytes, path: path)
        }
        #expect(error?.code == code, "\(String(describing: error))")
        #expect(error?.message.contains(path) == true)
    }

    @Test("Word: headings by style, lists, tables; deleted text is left out")
    func word() async throws {
        let styles = """
            <w:style w:styleId="H1"><w:name w:val="heading 1"/></w:style>
            <w:style w:styleId="Own"><w:name w:val="Mine"/><w:basedOn w:val="H1"/></w:style>
            """
        let body = """
            <w:p><w:pPr><w:pStyle w:val="Own"/></w:pPr><w:r><w:t>The title</w:t></w:r></w:p>
            <w:p><w:r><w:t>One </w:t></w:r><w:del><w:r><w:t>gone</w:t></w:r></w:del><w:r><w:t>two</w:t><w:br/><w:t>three</w:t></w:r></w:p>
            <w:p><w:pPr><w:numPr/></w:pPr><w:r><w:t>Item</w:t></w:r></w:p>
            <w:tbl><w:tr><w:tc><w:p><w:r><w:t>a</w:t></w:r></w:p></w:tc><w:tc><w:p/></w:tc></w:tr></w:tbl>
            """
        let found = try await FileExtractor().documents(in: Self.word(body, styles: styles), path: "x/a.docx").documents
        let document = try #require(found.first)
        #expect(document.title == "The title")
        #expect(document.text == "The title\n\nOne two\nthree\n\n- Item\n\n| a |  |")
        #expect(document.blocks.map(\.kind) == [.heading(level: 1, title: "The title"), .paragraph, .listItem, .table])
    }

    @Test("A Word document behind another name is read as what it is")
    func mislabelled() async throws {
        let bytes = Self.word("<w:p><w:r><w:t>Text</w:t></w:r></w:p>")
        #expect(try await FileExtractor().documents(in: bytes, path: "a.txt").documents.first?.text == "Text")
    }

    @Test("Office documents that can't be read say why")
    func refused() async {
        await Self.expect(.unsupportedFormat, Self.zip([("xl/workbook.xml", "<x/>")]), "a.xlsx")
        await Self.expect(.unsupportedFormat, Self.zip([("../../etc/passwd", "x")]), "a.docx")
        await Self.expect(.malformed, Array(Self.word("<w:p/>").dropLast(30)), "a.docx")
        await Self.expect(.malformed, Self.zip([("word/document.xml", "<w:p>")]), "a.docx")
        await Self.expect(.malformed, Self.zip([("word/document.xml", "<!DOCTYPE a><a/>")]), "a.docx")
        await Self.expect(.encrypted, Self.zip([("word/document.xml", "<a/>")], flags: 1), "a.docx")
        await Self.expect(.emptyDocument, Self.word("<w:p/>"), "a.docx")
        let deep = String(repeating: "<w:x>", count: 200) + String(repeating: "</w:x>", count: 200)
        await Self.expect(.tooDeep, Self.word(deep), "a.docx")
    }

    /// A document with one line of text on each page, without the table of references, which poppler makes anew.
    private static func pdf(_ pages: [String]) -> [UInt8] {
        let kids = pages.indices.map { "\(10 + $0 * 2) 0 R" }.joined(separator: " ")
        var text = "%PDF-1.4\n1 0 obj <</Type/Catalog/Pages 2 0 R>> endobj\n"
        text += "2 0 obj <</Type/Pages/Count \(pages.count)/Kids[\(kids)]>> endobj\n"
        text += "3 0 obj <</Type/Font/Subtype/Type1/BaseFont/Helvetica>> endobj\n"
        for (index, page) in pages.enumerated() {
            let stream = "BT /F1 12 Tf 72 700 Td (\(page)) Tj ET"
            text += "\(10 + index * 2) 0 obj <</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]"
            text += "/Resources<</Font<</F1 3 0 R>>>>/Contents \(11 + index * 2) 0 R>> endobj\n"
            text += "\(11 + index * 2) 0 obj <</Length \(stream.utf8.count)>> stream\n\(stream)\nendstream endobj\n"
        }
        return Array((text + "trailer <</Root 1 0 R>>\n%%EOF").utf8)
    }

    @Test("PDF: each page is a heading, so that citations name it")
    func pdf() async throws {
        let bytes = Self.pdf(["Whales sing.", "", "Ships sail."])
        let document = try #require(try await FileExtractor().documents(in: bytes, path: "a.pdf").documents.first)
        let texts = document.blocks.filter { $0.kind == .paragraph }.map {
            String(decoding: Array(document.text.utf8)[$0.span], as: UTF8.self)
        }
        #expect(texts == ["Whales sing.", "Ships sail."])
        let chunks = try Chunker().chunks(of: document)
        #expect(chunks.first?.headingPath == ["Page 1"])
    }

    @Test("PDF documents that can't be read say why")
    func refusedPDF() async {
        await Self.expect(.malformed, Array("%PDF-1.4 nothing".utf8), "a.pdf")
        await Self.expect(.emptyDocument, Self.pdf([""]), "a.pdf")
        var limits = ExtractionLimits()
        limits.maximumPages = 1
        let error = await #expect(throws: KnowledgeError.self) {
            try await FileExtractor(limits: limits).documents(in: Self.pdf(["a", "b"]), path: "a.pdf")
        }
        #expect(error?.code == .tooManyParts)
        limits.maximumPages = 10
        limits.time = .zero
        let late = await #expect(throws: KnowledgeError.self) {
            try await FileExtractor(limits: limits).documents(in: Self.pdf(["a"]), path: "a.pdf")
        }
        #expect(late?.code == .tookTooLong)
    }
}
