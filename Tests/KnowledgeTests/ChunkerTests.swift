import Testing

@testable import Knowledge

@Suite("Splitting documents into chunks")
struct ChunkerTests {
    static let prose = (0..<120).map { "Sentence number \($0) tells of the thing called item\($0)." }.joined(
        separator: " "
    )

    static let documents: [Document] = [
        Document(id: "short", title: "Short", text: "One line."),
        Document(id: "prose", title: "Prose", text: prose),
        Document(id: "lines", text: (0..<300).map { "line \($0) of a log" }.joined(separator: "\n")),
        Document(id: "no-spaces", text: String(repeating: "x", count: 50_000)),
        Document(id: "han", text: String(repeating: "知識庫", count: 500)),
        Document(id: "emoji", text: String(repeating: "👩‍👩‍👧‍👦", count: 700)),
        Document(id: "windows", text: "First paragraph.\r\n\r\nSecond paragraph.\r\n"),
        Document(
            id: "sections",
            title: "Guide",
            text: "# Guide\n\(prose)\n## Use\n\(prose)\n## Tiny\nx\n## End\n\(prose)",
            blocks: sections()
        ),
    ]

    static func sections() -> [Block] {
        blocks(of: "# Guide\n\(prose)\n## Use\n\(prose)\n## Tiny\nx\n## End\n\(prose)")
    }

    /// The blocks of a Markdown text whose lines are headings and paragraphs.
    static func blocks(of text: String) -> [Block] {
        TextLines(text).map { line in
            let content = String(decoding: Array(text.utf8)[line.span], as: UTF8.self)
            let level = content.prefix(while: { $0 == "#" }).count
            let kind: Block.Kind =
                level == 0 ? .paragraph : .heading(level: level, title: String(content.dropFirst(level + 1)))
            return Block(kind, span: line.span)
        }
    }

    @Test("No chunk is longer than the window, in tokens or in bytes", arguments: documents)
    func limit(document: Document) throws {
        let configuration = ChunkingConfiguration()
        let tokens = TokenMap(text: document.text, embedder: nil)
        for chunk in try Chunker(configuration: configuration).chunks(of: document) {
            #expect(tokens.cost(of: chunk.span) <= configuration.windowTokens)
            #expect(chunk.span.count <= (configuration.windowTokens + 1) * TokenMap.bytesPerToken)
        }
    }

    @Test("The spans cover all of the text but white space, and each is the chunk's text", arguments: documents)
    func coverage(document: Document) throws {
        let bytes = Array(document.text.utf8)
        var covered = [Bool](repeating: false, count: bytes.count)
        let chunks = try Chunker().chunks(of: document)
        for (index, chunk) in chunks.enumerated() {
            #expect(chunk.index == index)
            #expect(Array(chunk.text.utf8) == Array(bytes[chunk.span]), "cut within a character")
            for position in chunk.span { covered[position] = true }
        }
        let missed = bytes.indices.filter { !covered[$0] && !Character(Unicode.Scalar(bytes[$0])).isWhitespace }
        #expect(missed.isEmpty)
        #expect(zip(chunks, chunks.dropFirst()).allSatisfy { $0.span.lowerBound < $1.span.lowerBound })
    }

    @Test("A chunk that ended for length is followed by one that repeats its end, within the overlap")
    func overlap() throws {
        let configuration = ChunkingConfiguration()
        let document = Document(id: "prose", text: Self.prose)
        let tokens = TokenMap(text: document.text, embedder: nil)
        let chunks = try Chunker(configuration: configuration).chunks(of: document)
        #expect(chunks.count > 3)
        for (first, second) in zip(chunks, chunks.dropFirst()) {
            #expect(second.span.lowerBound < first.span.upperBound)
            #expect(tokens.cost(of: second.span.lowerBound..<first.span.upperBound) <= configuration.overlapTokens)
        }
    }

    @Test("Chunks know the headings above them; a heading starts a chunk and never ends one")
    func headings() throws {
        let document = Document(
            id: "sections",
            title: "Guide",
            text: "# Guide\n\(Self.prose)\n## Use\n\(Self.prose)\n## Tiny\nx\n## End\n\(Self.prose)",
            blocks: Self.sections()
        )
        let chunks = try Chunker().chunks(of: document)
        #expect(chunks.first?.headingPath == [])
        #expect(chunks.first?.context == "Guide")
        let use = chunks.filter { $0.headingPath == ["Use"] }
        #expect(use.first?.text.hasPrefix("## Use") == true)
        #expect(use.first?.context == "Guide > Use")
        #expect(use.first?.embeddedText.hasPrefix("Guide > Use\n## Use") == true)
        for chunk in chunks {
            let lastLine = chunk.text.split(separator: "\n").last ?? ""
            #expect(!lastLine.hasPrefix("#"), "A heading ends a chunk")
        }
    }

    @Test(
        "A chunk that begins at the document's title stands where its first paragraph does",
        arguments: [
            ("# Guide\n## Use\nText.", ["Use"]), ("# Guide\n## Use\n### Fast\nText.", ["Use", "Fast"]),
            ("# Guide\nText.\n## Use\nText.", []), ("# Guide\n## Use", []), ("## Use\n### Fast\nText.", ["Use"]),
            ("# Other\n## Use\nText.", ["Other"]),
        ]
    )
    func titleThenSection(text: String, path: [String]) throws {
        let document = Document(id: "a", title: "Guide", text: text, blocks: Self.blocks(of: text))
        let chunk = try #require(try Chunker().chunks(of: document).first)
        #expect(chunk.text == text)
        #expect(chunk.headingPath == path)
        #expect(chunk.context == (["Guide"] + path).joined(separator: " > "))
    }

    @Test("The headings that a chunk gets from its first paragraph take their room from its text")
    func roomBehindTitle() throws {
        let name = (0..<60).map { "word\($0)" }.joined(separator: " ")
        let text = "# Guide\n## \(name)\n\(Self.prose)"
        let document = Document(id: "a", title: "Guide", text: text, blocks: Self.blocks(of: text))
        for chunk in try Chunker().chunks(of: document) {
            let tokens = ApproximateTokenizer.tokenSpans(of: chunk.embeddedText).count
            #expect(tokens <= ChunkingConfiguration().totalTokens)
        }
    }

    @Test("A document of nothing but a title is found by it")
    func titleOnly() throws {
        let chunks = try Chunker().chunks(of: Document(id: "a", title: "Before you upload", text: "  \n"))
        #expect(chunks.map(\.embeddedText) == ["Before you upload"])
        #expect(chunks.map(\.text) == [""])
    }

    @Test("Blocks that don't lie in the text are left out")
    func foreignBlocks() throws {
        let blocks = [Block(.paragraph, span: 0..<3), Block(.paragraph, span: 2..<400)]
        let document = Document(id: "a", text: "One.", blocks: blocks)
        #expect(try Chunker().chunks(of: document).map(\.text) == ["One"])
    }

    @Test("A document that makes too many chunks is refused")
    func tooMany() {
        var configuration = ChunkingConfiguration()
        configuration.maximumChunks = 3
        let error = #expect(throws: KnowledgeError.self) {
            try Chunker(configuration: configuration).chunks(of: Document(id: "prose", text: Self.prose))
        }
        #expect(error?.code == .tooManyChunks)
    }

    @Test("A context that is too long is cut")
    func longContext() throws {
        let title = (0..<500).map { "word\($0)" }.joined(separator: " ")
        let chunks = try Chunker().chunks(of: Document(id: "a", title: title, text: "Text."))
        let context = try #require(chunks.first?.context)
        #expect(title.hasPrefix(context))
        #expect(ApproximateTokenizer.tokenSpans(of: context).count <= ChunkingConfiguration().contextTokens)
    }
}
