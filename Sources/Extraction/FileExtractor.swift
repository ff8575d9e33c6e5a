public import Knowledge

/// Finds documents in files: Markdown, HTML, JSON Lines, plain text and source code, all in UTF-8.
///
/// The kind is told by the extension, and by the content where the extension says nothing. A file is never read as
/// something else than its name promises: binary content behind a text's name is an error.
public struct FileExtractor: DocumentExtractor {
    private let limits: ExtractionLimits

    /// Creates an extractor.
    public init(limits: ExtractionLimits = ExtractionLimits()) { self.limits = limits }

    /// Returns whether a file of this name may hold text, for walking folders.
    public static func canRead(path: String) -> Bool {
        !FileKind.binaryExtensions.contains(FileKind.extensionName(of: path))
    }

    public func documents(in bytes: [UInt8], path: String) throws(KnowledgeError) -> ExtractedDocuments {
        let isJSONLines = ["jsonl", "ndjson"].contains(FileKind.extensionName(of: path))
        let maximum = isJSONLines ? self.limits.maximumJSONLinesBytes : self.limits.maximumFileBytes
        guard bytes.count <= maximum else {
            throw KnowledgeError(
                .tooLarge,
                "\(path) has \(bytes.count) bytes; at most \(maximum) are read. Split it into smaller files."
            )
        }
        try self.refuseBinary(bytes, path: path)
        if isJSONLines { return try JSONLinesReader(limits: self.limits).documents(in: bytes, path: path) }
        let text = try self.text(of: bytes, path: path)
        guard text.contains(where: { !$0.isWhitespace }) else {
            throw KnowledgeError(.emptyDocument, "\(path) holds no text.")
        }
        return ExtractedDocuments(documents: [try self.document(text: text, path: path)])
    }

    private func document(text: String, path: String) throws(KnowledgeError) -> Document {
        let name = path.split(separator: "/").last.map(String.init) ?? path
        switch FileKind(path: path, text: text) {
        case .markdown:
            let parsed = MarkdownScanner.scan(text)
            return Document(
                id: path,
                title: parsed.title ?? name,
                text: text,
                blocks: parsed.blocks,
                metadata: parsed.frontMatter
            )
        case .html:
            let parsed = try HTMLReader(limits: self.limits).read(text, path: path)
            return Document(id: path, title: parsed.title ?? name, text: parsed.text, blocks: parsed.blocks)
        case .sourceCode:
            return Document(id: path, title: path, text: text, blocks: Block.runs(in: text, kind: .code))
        case .plainText, .jsonLines:
            return Document(id: path, title: name, text: text)
        }
    }

    private func refuseBinary(_ bytes: [UInt8], path: String) throws(KnowledgeError) {
        if let format = FileKind.binaryFormat(of: bytes) {
            throw KnowledgeError(
                .unsupportedFormat,
                "\(path) is \(format), which can't be read. Convert it to UTF-8 text."
            )
        }
        if let position = bytes.firstIndex(of: 0) {
            throw KnowledgeError(.invalidText, "\(path) isn't text: byte \(position) is 0.")
        }
    }

    private func text(of bytes: [UInt8], path: String) throws(KnowledgeError) -> String {
        let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]
        let content = bytes.starts(with: byteOrderMark) ? Array(bytes.dropFirst(3)) : bytes
        guard let text = String(validating: content, as: UTF8.self) else {
            throw KnowledgeError(.invalidText, "\(path) isn't text in UTF-8. Convert it, for example with iconv.")
        }
        return text
    }
}
