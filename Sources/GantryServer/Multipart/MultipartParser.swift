/// A parser for `multipart/form-data` (RFC 7578, RFC 2046 section 5.1) that takes the body in pieces of any size.
///
/// It holds back no more than one delimiter or one header block, so a body of any length needs little memory. How large
/// a part may be is for the caller to limit.
struct MultipartParser {
    struct Limits: Sendable {
        /// The most parts of one body.
        var parts = 1000
        /// The most bytes of the header block of one part.
        var headerBytes = 8192
    }

    enum Event: Equatable {
        case partBegan(MultipartPart)
        case body([UInt8])
        case partEnded
    }

    private enum State {
        /// Before the first delimiter, and behind the closing one: text that means nothing.
        case preamble
        case epilogue
        /// Right behind a delimiter.
        case delimiterEnd
        case headers
        case body
    }

    private static let headerEnd = Array("\r\n\r\n".utf8)

    private let delimiter: [UInt8]
    private let limits: Limits
    private var state = State.preamble
    private var partCount = 0
    /// A delimiter begins with a line end.
    ///
    /// The first one may be at the very beginning, as if a line ended before it.
    private var buffer = Array("\r\n".utf8)

    /// Creates a parser.
    ///
    /// - Parameters:
    ///   - boundary: The boundary parameter of the body's media type.
    ///   - limits: What to accept.
    init(boundary: String, limits: Limits = Limits()) {
        self.delimiter = Array("\r\n--\(boundary)".utf8)
        self.limits = limits
    }

    /// Takes the next piece of the body.
    ///
    /// - Returns: What the piece completes, in order.
    /// - Throws: A ``MultipartError`` if the body is malformed or exceeds a limit. Nothing can be read behind it.
    mutating func consume(_ bytes: some Collection<UInt8>) throws(MultipartError) -> [Event] {
        self.buffer += bytes
        var events: [Event] = []
        var position = 0
        while try self.step(&position, &events) {}
        self.buffer.removeFirst(position)
        return events
    }

    /// Says that the body is at its end.
    ///
    /// - Throws: A ``MultipartError`` with the code `incomplete` if the closing delimiter hasn't been seen.
    func finish() throws(MultipartError) {
        guard case .epilogue = self.state else {
            throw MultipartError(code: .incomplete, message: "The body ends before its closing delimiter.")
        }
    }

    /// Makes one step from the given position on.
    ///
    /// - Returns: Whether another step may be possible without more input.
    private mutating func step(_ position: inout Int, _ events: inout [Event]) throws(MultipartError) -> Bool {
        switch self.state {
        case .preamble:
            guard self.passDelimiter(&position, content: { _ in }) else { return false }
            self.state = .delimiterEnd
            return true
        case .epilogue:
            position = self.buffer.count
            return false
        case .delimiterEnd:
            return try self.passDelimiterEnd(&position)
        case .headers:
            guard let part = try self.passHeaders(&position) else { return false }
            events.append(.partBegan(part))
            self.state = .body
            return true
        case .body:
            let ended = self.passDelimiter(&position) { content in
                if !content.isEmpty { events.append(.body(Array(content))) }
            }
            guard ended else { return false }
            events.append(.partEnded)
            self.state = .delimiterEnd
            return true
        }
    }

    /// Gives what is before the next delimiter to `content`, and stops behind the delimiter.
    ///
    /// Without a delimiter, gives what can't be the beginning of one, and stops there.
    private func passDelimiter(_ position: inout Int, content: (ArraySlice<UInt8>) -> Void) -> Bool {
        if let start = self.index(of: self.delimiter, from: position) {
            content(self.buffer[position..<start])
            position = start + self.delimiter.count
            return true
        }
        let safeEnd = max(position, self.buffer.count - self.delimiter.count + 1)
        content(self.buffer[position..<safeEnd])
        position = safeEnd
        return false
    }

    /// Behind a delimiter comes `--` if it is the last, else white space and a line end.
    private mutating func passDelimiterEnd(_ position: inout Int) throws(MultipartError) -> Bool {
        var index = position
        while index < self.buffer.count, self.buffer[index] == 0x20 || self.buffer[index] == 0x09 {
            index += 1
        }
        guard index - position <= 64 else {
            throw MultipartError(code: .malformed, message: "There is too much white space behind a delimiter.")
        }
        guard index + 1 < self.buffer.count else { return false }
        switch (self.buffer[index], self.buffer[index + 1]) {
        case (UInt8(ascii: "-"), UInt8(ascii: "-")) where index == position:
            self.state = .epilogue
            position += 2
            return true
        case (0x0D, 0x0A):
            self.partCount += 1
            guard self.partCount <= self.limits.parts else {
                throw MultipartError(code: .tooLarge, message: "The body has more than \(self.limits.parts) parts.")
            }
            // The line end stays: a header block that is empty consists of two line ends.
            position = index
            self.state = .headers
            return true
        default:
            throw MultipartError(
                code: .malformed,
                message: "A delimiter is followed by something else than a line end."
            )
        }
    }

    private func passHeaders(_ position: inout Int) throws(MultipartError) -> MultipartPart? {
        let end = self.index(of: Self.headerEnd, from: position)
        guard (end ?? self.buffer.count) - position <= self.limits.headerBytes else {
            throw MultipartError(
                code: .tooLarge,
                message: "The headers of part \(self.partCount) are longer than \(self.limits.headerBytes) bytes."
            )
        }
        guard let end else { return nil }
        let part = try MultipartPart(headerBlock: self.buffer[position..<end])
        position = end + Self.headerEnd.count
        return part
    }

    private func index(of pattern: [UInt8], from start: Int) -> Int? {
        self.buffer.withUnsafeBufferPointer { buffer in
            pattern.withUnsafeBufferPointer { pattern in
                var index = start
                while index + pattern.count <= buffer.count {
                    var matched = 0
                    while matched < pattern.count, buffer[index + matched] == pattern[matched] { matched += 1 }
                    if matched == pattern.count { return index }
                    index += 1
                }
                return nil
            }
        }
    }
}
