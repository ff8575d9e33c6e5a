/// The lines of a text with their places in it, ended by LF, CR LF or CR.
public struct TextLines: Sequence {
    /// One line.
    public struct Line: Sendable, Hashable {
        /// The line without its ending, in UTF-8 byte offsets of the text.
        public var span: Range<Int>
        /// Whether the line holds nothing but spaces and tabs.
        public var isBlank: Bool
    }

    private let bytes: [UInt8]

    /// Creates the lines of a text.
    public init(_ text: String) { self.bytes = Array(text.utf8) }

    /// Creates the lines of a text given as UTF-8.
    public init(bytes: [UInt8]) { self.bytes = bytes }

    public func makeIterator() -> AnyIterator<Line> {
        let bytes = self.bytes
        var position = 0
        return AnyIterator {
            guard position < bytes.count else { return nil }
            let start = position
            var blank = true
            while position < bytes.count, bytes[position] != 0x0A, bytes[position] != 0x0D {
                if bytes[position] != 0x20, bytes[position] != 0x09 { blank = false }
                position += 1
            }
            let line = Line(span: start..<position, isBlank: blank)
            if position < bytes.count {
                let isPair = bytes[position] == 0x0D && position + 1 < bytes.count && bytes[position + 1] == 0x0A
                position += isPair ? 2 : 1
            }
            return line
        }
    }
}
