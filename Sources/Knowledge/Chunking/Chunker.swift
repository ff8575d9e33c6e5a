import JSON

/// Splits documents along their structure into chunks that the embedding model can read whole.
///
/// Sentences, lines and table rows are put together until the window is full; a heading, or a symbol at the top level of
/// source code, begins a new chunk unless the one before it is very short. A chunk that ended because the window was full
/// is followed by one that repeats its last sentences; source code is cut before the last function that began in the
/// window instead. What stands before a chunk when it is embedded (file, title and headings, or the symbols that it
/// stands in) isn't part of its text.
public struct Chunker: Sendable {
    private let configuration: ChunkingConfiguration
    private let embedder: (any Embedder)?

    /// Creates a chunker.
    ///
    /// - Parameters:
    ///   - configuration: The sizes of chunks.
    ///   - embedder: The model whose tokenizer counts; without one, tokens are estimated.
    public init(configuration: ChunkingConfiguration = ChunkingConfiguration(), embedder: (any Embedder)? = nil) {
        self.configuration = configuration
        self.embedder = embedder
    }

    /// Returns the chunks of a document in the order of its text.
    ///
    /// - Throws: ``KnowledgeError/Code/tooManyChunks``.
    public func chunks(of document: Document) throws(KnowledgeError) -> [Chunk] {
        let tokens = TokenMap(text: document.text, embedder: self.embedder)
        let bytes = Array(document.text.utf8)
        let head = Head(of: document)
        let units = self.units(of: document, head: head, bytes: bytes, tokens: tokens)
        let windows = self.windows(of: units, head: head, tokens: tokens)
        if windows.isEmpty, !document.title.isEmpty { return [self.titleChunk(head)] }
        guard windows.count <= self.configuration.maximumChunks else {
            throw KnowledgeError(
                .tooManyChunks,
                "The document makes \(windows.count) chunks; at most \(self.configuration.maximumChunks) are allowed. "
                    + "Split it into several documents."
            )
        }
        return windows.enumerated().map { index, window in
            let path = self.headingPath(of: units[window], title: document.title)
            let span = units[window.lowerBound].span.lowerBound..<units[window.upperBound - 1].span.upperBound
            return Chunk(
                index: index,
                headingPath: path,
                text: String(decoding: bytes[span], as: UTF8.self),
                span: span,
                context: self.context(head, path: path)
            )
        }
    }

    /// The one chunk of a document without text, such as a heading that only groups others: it is found by its title.
    private func titleChunk(_ head: Head) -> Chunk {
        Chunk(index: 0, headingPath: [], text: "", span: 0..<0, context: self.context(head, path: []))
    }

    /// What all chunks of a document stand under.
    private struct Head {
        var title: String
        /// The words of the file's name that the title doesn't say.
        var fileName: String
        /// For source code: the symbols of the file, and where the text begins in it.
        var code: SourcePart?

        init(of document: Document) {
            self.title = document.title
            self.code = document.sourceOutline
            // The records of one file have the file's name in common; it is what each is called that tells them apart.
            let isRecord = document.metadata[Document.fileKey]?.stringValue == document.source
            self.fileName = FileName.words(of: isRecord ? document.id : document.source, besides: document.title)
        }
    }

    /// The smallest thing that goes into a chunk.
    private struct Unit {
        var span: Range<Int>
        var path: [String]
        var isHeading = false
        /// Whether a symbol of source code begins here.
        var isSymbol = false
    }

    private func units(of document: Document, head: Head, bytes: [UInt8], tokens: TokenMap) -> [Unit] {
        let room = min(
            self.configuration.windowTokens,
            self.configuration.totalTokens - self.configuration.contextTokens
        )
        let pieces = TextPieces(bytes: bytes, tokens: tokens, maximumTokens: room)
        if let code = head.code {
            return self.units(of: code, spans: document.blocks.flatMap { pieces.pieces(of: $0) })
        }
        var units: [Unit] = []
        var headings: [(level: Int, title: String)] = []
        for block in document.blocks {
            var isHeading = false
            if case .heading(let level, let title) = block.kind {
                headings.removeAll { $0.level >= level }
                headings.append((level, title))
                isHeading = true
            }
            let path = headings.map(\.title)
            units += pieces.pieces(of: block).map { Unit(span: $0, path: path, isHeading: isHeading) }
        }
        return units
    }

    /// The lines of source code, with the symbols that they stand in.
    private func units(of code: SourcePart, spans: [Range<Int>]) -> [Unit] {
        let symbols = code.outline.symbols
        var next = symbols.firstIndex { $0.offset >= code.offset } ?? symbols.count
        return spans.map { span in
            var unit = Unit(span: span, path: code.outline.path(at: code.offset + span.lowerBound))
            while next < symbols.count, symbols[next].offset <= code.offset + span.lowerBound {
                unit.isSymbol = true
                next += 1
            }
            return unit
        }
    }

    /// Returns which units make each chunk.
    private func windows(of units: [Unit], head: Head, tokens: TokenMap) -> [Range<Int>] {
        var windows: [Range<Int>] = []
        var start = 0
        var end = 0
        var room = 0
        while end < units.count {
            if start == end || room == 0 {
                // A chunk has no more units than tokens; looking further would make nothing but headings take quadratic time.
                room = self.room(for: units[start...].prefix(self.configuration.windowTokens), head: head)
            }
            let unit = units[end]
            let held = start < end ? tokens.cost(of: units[start].span.lowerBound..<units[end - 1].span.upperBound) : 0
            let grown = tokens.cost(of: units[start].span.lowerBound..<unit.span.upperBound)
            let startsSection = self.startsSection(unit, after: held)
            if start == end || (!startsSection && grown <= room) {
                end += 1
                continue
            }
            var last = self.withoutTrailingHeadings(start..<end, units: units)
            let symbol = startsSection ? nil : self.lastSymbol(in: start..<end + 1, units: units, tokens: tokens)
            if let symbol { last = start..<symbol }
            windows.append(last)
            let isAtBoundary = startsSection || symbol != nil
            start =
                isAtBoundary
                ? last.upperBound : self.overlapStart(after: last, units: units, room: room, tokens: tokens)
            end = max(start, last.upperBound)
            room = 0
        }
        if start < end { windows.append(start..<end) }
        return windows
    }

    /// A section of a text and a symbol at the top level of source code each begin a chunk,
    /// unless what is before it is very short.
    private func startsSection(_ unit: Unit, after held: Int) -> Bool {
        if unit.isHeading { return held >= self.configuration.minimumTokens }
        return unit.isSymbol && unit.path.isEmpty && held >= self.configuration.minimumSymbolTokens
    }

    /// The last symbol at which source code that doesn't fit into one chunk can be cut, so that functions stay whole.
    private func lastSymbol(in window: Range<Int>, units: [Unit], tokens: TokenMap) -> Int? {
        window.dropFirst().last { index in
            guard units[index].isSymbol else { return false }
            let before = units[window.lowerBound].span.lowerBound..<units[index - 1].span.upperBound
            return tokens.cost(of: before) >= self.configuration.minimumSymbolTokens
        }
    }

    /// How many tokens of text fit behind the title and headings of a chunk that begins with the first of some units.
    private func room(for units: ArraySlice<Unit>, head: Head) -> Int {
        let context = self.context(head, path: self.headingPath(of: units, title: head.title))
        return min(self.configuration.windowTokens, self.configuration.totalTokens - self.tokenSpans(of: context).count)
    }

    /// A heading belongs to what follows it.
    private func withoutTrailingHeadings(_ window: Range<Int>, units: [Unit]) -> Range<Int> {
        var end = window.upperBound
        while end - 1 > window.lowerBound, units[end - 1].isHeading { end -= 1 }
        return window.lowerBound..<end
    }

    /// Goes back from the end of a chunk by as many whole units as the overlap and the next chunk have room for.
    private func overlapStart(after window: Range<Int>, units: [Unit], room: Int, tokens: TokenMap) -> Int {
        let next = units[window.upperBound]
        var start = window.upperBound
        while start - 1 > window.lowerBound, units[start - 1].path == next.path {
            let from = units[start - 1].span.lowerBound
            let repeated = tokens.cost(of: from..<units[window.upperBound - 1].span.upperBound)
            let grown = tokens.cost(of: from..<next.span.upperBound)
            guard repeated <= self.configuration.overlapTokens, grown <= room else { break }
            start -= 1
        }
        return start
    }

    /// The headings that a chunk stands under: those of its first unit, or, where that is the document's title with a
    /// section right behind it, those of its first text.
    private func headingPath(of units: ArraySlice<Unit>, title: String) -> [String] {
        func path(_ unit: Unit) -> [String] { unit.path.first == title ? Array(unit.path.dropFirst()) : unit.path }
        let first = units[units.startIndex]
        guard first.isHeading, path(first).isEmpty, let text = units.first(where: { !$0.isHeading }) else {
            return path(first)
        }
        return path(text)
    }

    private func context(_ head: Head, path: [String]) -> String {
        let names = (head.code?.outline.names ?? []).filter { !path.contains($0) }.joined(separator: ", ")
        let whole = ([head.fileName, head.title, names] + path).filter { !$0.isEmpty }.joined(separator: " > ")
        let spans = self.tokenSpans(of: whole)
        guard spans.count > self.configuration.contextTokens else { return whole }
        return String(decoding: Array(whole.utf8)[..<spans[self.configuration.contextTokens].lowerBound], as: UTF8.self)
    }

    private func tokenSpans(of text: String) -> [Range<Int>] {
        self.embedder?.tokenSpans(of: text) ?? ApproximateTokenizer.tokenSpans(of: text)
    }
}
