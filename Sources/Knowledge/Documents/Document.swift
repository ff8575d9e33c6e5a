public import Foundation
public import JSON

/// A text to be indexed, with the structure that an extractor found in it.
public struct Document: Sendable, Hashable {
    /// What the document is called in the index; ingesting another document of the same name replaces it.
    public var id: String

    /// Where the text came from, for citations: a path or an address.
    public var source: String

    /// The title, or an empty string.
    public var title: String

    /// The text that is split, searched and cited.
    ///
    /// All spans are ranges of UTF-8 byte offsets into it.
    public let text: String

    /// The parts of the text, in order and without overlap.
    ///
    /// Text before the first, after the last, or between those of
    /// two chunks is not searched.
    public let blocks: [Block]

    /// What a file of source code imports: modules, packages or headers, as they are named there, without repetitions.
    public var imports: [String]

    /// Facts about the document that are kept and given back, but not searched.
    public var metadata: JSONObject

    /// When the source itself last changed, if it is known.
    public var sourceUpdatedAt: Date?

    /// The labels of which a reader has to hold one to see the document; without any, everybody sees it.
    ///
    /// At most 100, each of 1 to 256 bytes.
    public var accessLabels: Set<String>

    /// The source file that the document is a part of, if it is one.
    public var part: SourcePart?

    /// Creates a document.
    ///
    /// Without `blocks`, paragraphs are found at empty lines; blocks that don't lie within the text are left out.
    public init(
        id: String,
        source: String? = nil,
        title: String = "",
        text: String,
        blocks: [Block]? = nil,
        imports: [String] = [],
        metadata: JSONObject = JSONObject(),
        sourceUpdatedAt: Date? = nil,
        accessLabels: Set<String> = []
    ) {
        self.id = id
        self.source = source ?? id
        self.title = title
        self.text = text
        let length = text.utf8.count
        self.blocks =
            blocks?.filter { $0.span.lowerBound >= 0 && $0.span.upperBound <= length } ?? Block.paragraphs(in: text)
        self.imports = imports
        self.metadata = metadata
        self.sourceUpdatedAt = sourceUpdatedAt
        self.accessLabels = accessLabels
    }
}

/// Where a document stands in the source file that it is a part of.
public struct SourcePart: Sendable, Hashable {
    /// The symbols of the whole file.
    public var outline: SourceOutline

    /// Where the document's text begins in the file, in UTF-8 byte offsets.
    public var offset: Int

    /// Creates a place.
    public init(outline: SourceOutline, offset: Int) {
        self.outline = outline
        self.offset = offset
    }
}

extension Document {
    /// Tells documents that are consecutive parts of one source file, such as functions that were exported one by one,
    /// what they stand in.
    ///
    /// Parts of anything but source code stay as they are.
    ///
    /// - Parameters:
    ///   - documents: Documents, parts of one file in their order.
    ///   - files: The name of the file that each document is a part of, or nothing.
    /// - Returns: The documents, in the same order.
    public static func linked(_ documents: [Document], partsOf files: [String?]) -> [Document] {
        var members: [String: [Int]] = [:]
        for (index, file) in zip(documents.indices, files) {
            if let file { members[file, default: []].append(index) }
        }
        var linked = documents
        for indexes in members.values where indexes.count > 1 {
            let whole = indexes.map { documents[$0].text }.joined()
            guard SourceOutline.isLikely(whole) else { continue }
            let outline = SourceOutline(whole)
            var offset = 0
            for index in indexes {
                let document = documents[index]
                linked[index] = Document(
                    id: document.id,
                    source: document.source,
                    title: document.title,
                    text: document.text,
                    blocks: Block.runs(in: document.text, kind: .code),
                    metadata: document.metadata,
                    sourceUpdatedAt: document.sourceUpdatedAt,
                    accessLabels: document.accessLabels
                )
                linked[index].part = SourcePart(outline: outline, offset: offset)
                offset += document.text.utf8.count
            }
        }
        return linked
    }

    /// The symbols of the source file that the document is, or is a part of, and where its text begins in that; nothing
    /// for anything but source code.
    var sourceOutline: SourcePart? {
        if let part { return part }
        let isCode = !self.blocks.isEmpty && self.blocks.allSatisfy { $0.kind == .code }
        return isCode ? SourcePart(outline: SourceOutline(self.text), offset: 0) : nil
    }

    /// The key of the metadata that names the file which a document is a part of.
    static let fileKey = "gantry.file"

    /// The document with the name of the file that it was found in, unless it is the whole of that file.
    func noted(asPartOf path: String) -> Document {
        guard self.id != path else { return self }
        var document = self
        document.metadata[Self.fileKey] = .string(path)
        return document
    }
}

extension DocumentSummary {
    /// The path of the file that the document was found in, for documents from files.
    public var file: String { self.metadata[Document.fileKey]?.stringValue ?? self.id }
}
