/// One structural part of a document's text.
public struct Block: Sendable, Hashable {
    /// What a part is, which decides where it may be split.
    public enum Kind: Sendable, Hashable {
        /// A heading from level 1, the highest, to 6, with its text free of markup.
        case heading(level: Int, title: String)
        /// Running text: split between sentences.
        case paragraph
        /// One item of a list, with its marker: split between sentences.
        case listItem
        /// A table: split between rows.
        case table
        /// Source code or other preformatted text: split between lines.
        case code
    }

    public var kind: Kind

    /// Where the part lies in the document's text, in UTF-8 byte offsets.
    public var span: Range<Int>

    /// The declarations that a part of source code is or stands in, outermost first, such as `Store` and `write`.
    ///
    /// Empty outside of declarations, and for everything that isn't source code.
    public var symbols: [String]

    /// Creates a part.
    public init(_ kind: Kind, span: Range<Int>, symbols: [String] = []) {
        self.kind = kind
        self.span = span
        self.symbols = symbols
    }

    /// Returns the paragraphs of a plain text: runs of lines between empty lines.
    public static func paragraphs(in text: String) -> [Block] { Self.runs(in: text, kind: .paragraph) }

    /// Returns the runs of lines between empty lines, each as one block of the given kind.
    public static func runs(in text: String, kind: Kind) -> [Block] {
        var blocks: [Block] = []
        var start: Int?
        var end = 0
        for line in TextLines(text) {
            if line.isBlank {
                if let first = start { blocks.append(Block(kind, span: first..<end)) }
                start = nil
            } else {
                start = start ?? line.span.lowerBound
                end = line.span.upperBound
            }
        }
        if let first = start { blocks.append(Block(kind, span: first..<end)) }
        return blocks
    }
}
