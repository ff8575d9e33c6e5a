/// A pattern for paths and addresses, such as `docs/**` or `*.md`.
///
/// `*` stands for any characters but `/`, `**` for any characters, `**/` for any folders or none, and `?` for one
/// character but `/`. Everything else stands for itself; upper and lower case differ. The pattern has to match the whole
/// text.
public struct GlobPattern: Sendable, Hashable {
    /// The most bytes of a pattern.
    public static let maximumLength = 1024

    /// The pattern as it was written.
    public let text: String

    private enum Piece: Hashable {
        /// One byte of UTF-8.
        case literal(UInt8)
        /// `?`
        case one
        /// `*`
        case name
        /// `**/`
        case folders
        /// `**`
        case anything
    }

    private let pieces: [Piece]

    /// Reads a pattern.
    ///
    /// - Throws: ``KnowledgeError/Code/invalidArguments`` if it is empty or longer than ``maximumLength``.
    public init(_ text: String) throws(KnowledgeError) {
        guard !text.isEmpty, text.utf8.count <= Self.maximumLength else {
            throw KnowledgeError(
                .invalidArguments,
                "A source pattern has to have 1 to \(Self.maximumLength) bytes, such as docs/**."
            )
        }
        self.text = text
        self.pieces = Self.pieces(of: Array(text.utf8))
    }

    private static func pieces(of bytes: [UInt8]) -> [Piece] {
        let star = UInt8(ascii: "*")
        let slash = UInt8(ascii: "/")
        var pieces: [Piece] = []
        var position = 0
        while position < bytes.count {
            guard bytes[position] == star else {
                pieces.append(bytes[position] == UInt8(ascii: "?") ? .one : .literal(bytes[position]))
                position += 1
                continue
            }
            var end = position
            while end < bytes.count, bytes[end] == star { end += 1 }
            let beginsName = position == 0 || bytes[position - 1] == slash
            if end - position == 1 {
                pieces.append(.name)
            } else if beginsName, end < bytes.count, bytes[end] == slash {
                pieces.append(.folders)
                end += 1
            } else {
                pieces.append(.anything)
            }
            position = end
        }
        return pieces
    }

    /// Returns whether the pattern matches the whole of a text.
    public func matches(_ text: String) -> Bool {
        var text = text
        return text.withUTF8 { self.matches($0) }
    }

    /// Goes through both from the left.
    ///
    /// Where they don't fit, the last wildcard takes more of the text: first the last `*`, as long as there is no slash, then the last `**`. Wildcards before a `**` needn't be tried again, because
    /// what they could take more of, the `**` takes as well; so the time is bounded by the product of the lengths.
    private func matches(_ text: UnsafeBufferPointer<UInt8>) -> Bool {
        let slash = UInt8(ascii: "/")
        var piece = 0
        var position = 0
        /// The piece after a wildcard, and where that piece was tried last.
        var name: (piece: Int, position: Int)?
        var anything: (piece: Int, position: Int)?
        while true {
            if piece == self.pieces.count, position == text.count { return true }
            if piece < self.pieces.count {
                switch self.pieces[piece] {
                case .literal(let byte):
                    if position < text.count, text[position] == byte {
                        piece += 1
                        position += 1
                        continue
                    }
                case .one:
                    if position < text.count, text[position] != slash {
                        piece += 1
                        position += 1
                        while position < text.count, text[position] & 0xC0 == 0x80 { position += 1 }
                        continue
                    }
                case .name:
                    piece += 1
                    name = (piece, position)
                    continue
                case .folders, .anything:
                    piece += 1
                    anything = (piece, position)
                    name = nil
                    continue
                }
            }
            if let last = name, last.position < text.count, text[last.position] != slash {
                name = (last.piece, last.position + 1)
                (piece, position) = (last.piece, last.position + 1)
            } else if let last = anything, last.position < text.count {
                var next = last.position + 1
                if self.pieces[last.piece - 1] == .folders {
                    while next < text.count, text[next - 1] != slash { next += 1 }
                    guard text[next - 1] == slash else { return false }
                }
                anything = (last.piece, next)
                name = nil
                (piece, position) = (last.piece, next)
            } else {
                return false
            }
        }
    }

    /// The pattern as a POSIX regular expression, which matches the same texts.
    public var regularExpression: String {
        var expression: [UInt8] = Array("^".utf8)
        for piece in self.pieces {
            switch piece {
            case .literal(let byte):
                // A letter or digit must not be escaped, any other ASCII character may be.
                let scalar = Unicode.Scalar(byte)
                if scalar.isASCII, !("a"..."z").contains(scalar), !("A"..."Z").contains(scalar),
                    !("0"..."9").contains(scalar)
                {
                    expression.append(UInt8(ascii: "\\"))
                }
                expression.append(byte)
            case .one: expression += "[^/]".utf8
            case .name: expression += "[^/]*".utf8
            case .folders: expression += "(.*/)?".utf8
            case .anything: expression += ".*".utf8
            }
        }
        return String(decoding: expression + "$".utf8, as: UTF8.self)
    }
}

extension GlobPattern: CustomStringConvertible {
    public var description: String { self.text }
}
