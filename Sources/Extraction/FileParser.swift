import Knowledge

/// Reads files in this process, on this thread: everything but PDF.
struct FileParser {
    let limits: ExtractionLimits

    /// Returns the documents of a file.
    func documents(in bytes: [UInt8], path: String) throws(KnowledgeError) -> ExtractedDocuments {
        try self.checkSize(bytes, path: path)
        if let format = FileKind.unreadableFormat(of: bytes) {
            throw KnowledgeError(
                .unsupportedFormat,
                "\(path) is \(format), which can't be read. Convert it to text, PDF or DOCX."
            )
        }
        let kind = FileKind(path: path, bytes: bytes)
        if kind == .jsonLines {
            if let position = bytes.firstIndex(of: 0) {
                throw KnowledgeError(.invalidText, "\(path) isn't text: byte \(position) is 0.")
            }
            return try JSONLinesReader(limits: self.limits).documents(in: bytes, path: path)
        }
        if kind == .archive {
            return ExtractedDocuments(documents: [try WordReader(limits: self.limits).document(in: bytes, path: path)])
        }
        let text = try TextDecoding(limits: self.limits).text(of: bytes, path: path)
        guard text.contains(where: { !$0.isWhitespace }) else {
            throw KnowledgeError(.emptyDocument, "\(path) holds no text.")
        }
        try self.checkName(of: path, kind: kind)
        return ExtractedDocuments(documents: [try self.document(text, kind: kind, path: path)])
    }

    /// Makes sure that a file isn't larger than its kind may be.
    func checkSize(_ bytes: [UInt8], path: String) throws(KnowledgeError) {
        let isJSONLines = ["jsonl", "ndjson"].contains(FileKind.extensionName(of: path))
        let maximum = isJSONLines ? self.limits.maximumJSONLinesBytes : self.limits.maximumFileBytes
        guard bytes.count > maximum else { return }
        throw KnowledgeError(
            .tooLarge,
            "\(path) has \(bytes.count) bytes; at most \(maximum) are read. Split it into smaller files."
        )
    }

    /// Text behind the name of a document that isn't text is a mistake; a web page is what servers send in place of a file.
    private func checkName(of path: String, kind: FileKind) throws(KnowledgeError) {
        let name = FileKind.extensionName(of: path)
        guard name == "docx" || name == "pdf" || FileKind.binaryExtensions.contains(name), kind == .plainText else {
            return
        }
        throw KnowledgeError(
            .unsupportedFormat,
            "\(path) isn't what its name says: it has no sign of \(name.uppercased()). Name it .txt if it is text."
        )
    }

    private func document(_ text: String, kind: FileKind, path: String) throws(KnowledgeError) -> Document {
        let name = path.split(separator: "/").last.map(String.init) ?? path
        switch kind {
        case .markdown:
            let parsed = MarkdownScanner.scan(text)
            return Document(
                id: path,
                title: parsed.title ?? name,
                text: text,
                blocks: parsed.blocks,
                metadata: parsed.frontMatter
            )
        case .reStructuredText:
            let parsed = ReStructuredTextScanner.scan(text)
            return Document(id: path, title: parsed.title ?? name, text: text, blocks: parsed.blocks)
        case .html:
            let parsed = try HTMLReader(limits: self.limits).read(text, path: path)
            return Document(id: path, title: parsed.title ?? name, text: parsed.text, blocks: parsed.blocks)
        case .sourceCode:
            let language = SourceLanguage(extensionName: FileKind.extensionName(of: path))
            let parsed = SourceCodeScanner.scan(text, language: language)
            return Document(id: path, title: path, text: text, blocks: parsed.blocks, imports: parsed.imports)
        case .plainText, .jsonLines, .pdf, .archive:
            return Document(id: path, title: name, text: text)
        }
    }
}
