/// A piece of a document, small enough for the embedding model, which is what searches find.
public struct Chunk: Sendable, Hashable {
    /// The place of the chunk among the chunks of its document, from 0.
    public var index: Int

    /// The headings that the chunk stands under, outermost first, without the document's title.
    public var headingPath: [String]

    /// The text, exactly as it stands in the document.
    public var text: String

    /// Where the text lies in the document's text, in UTF-8 byte offsets.
    public var span: Range<Int>

    /// The title and the headings in one line, put before the text when it is embedded, and searched beside it.
    public var context: String

    /// Creates a chunk.
    public init(index: Int, headingPath: [String], text: String, span: Range<Int>, context: String) {
        self.index = index
        self.headingPath = headingPath
        self.text = text
        self.span = span
        self.context = context
    }

    /// What the embedding model reads.
    public var embeddedText: String { Self.embeddedText(context: self.context, text: self.text) }

    /// Puts together what the embedding model reads, from the parts that a store keeps.
    public static func embeddedText(context: String, text: String) -> String {
        [context, text].filter { !$0.isEmpty }.joined(separator: "\n")
    }
}
