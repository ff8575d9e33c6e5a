import Knowledge

/// From the bytes of a file to text: UTF-8, with or without a byte order mark, and UTF-16 with one.
struct TextDecoding {
    let limits: ExtractionLimits

    /// Returns the text of a file.
    ///
    /// - Throws: ``KnowledgeError/Code/invalidText`` for another encoding and for bytes that are no text,
    ///   ``KnowledgeError/Code/tooManyLines``, ``KnowledgeError/Code/lineTooLong``.
    func text(of bytes: [UInt8], path: String) throws(KnowledgeError) -> String {
        if bytes.starts(with: [0xFF, 0xFE]) { return try self.utf16(bytes, isBigEndian: false, path: path) }
        if bytes.starts(with: [0xFE, 0xFF]) { return try self.utf16(bytes, isBigEndian: true, path: path) }
        let isMarked = bytes.starts(with: [0xEF, 0xBB, 0xBF])
        try self.checkLines(bytes, path: path)
        guard let text = String(validating: isMarked ? bytes[3...] : bytes[...], as: UTF8.self) else {
            throw KnowledgeError(
                .invalidText,
                "\(path) isn't text in UTF-8. Convert it, for example with iconv -f ISO-8859-1 -t UTF-8."
            )
        }
        return text
    }

    private func utf16(_ bytes: [UInt8], isBigEndian: Bool, path: String) throws(KnowledgeError) -> String {
        guard bytes.count.isMultiple(of: 2) else {
            throw KnowledgeError(.invalidText, "\(path) begins like text in UTF-16 and ends in half a code unit.")
        }
        let units = stride(from: 2, to: bytes.count, by: 2).map { position in
            let (first, second) = (UInt16(bytes[position]), UInt16(bytes[position + 1]))
            return isBigEndian ? first << 8 | second : second << 8 | first
        }
        guard let text = String(validating: units, as: UTF16.self) else {
            throw KnowledgeError(.invalidText, "\(path) begins like text in UTF-16, but isn't: a surrogate is alone.")
        }
        try self.checkLines(Array(text.utf8), path: path)
        return text
    }

    /// Looks at all lines once, before anything is made of them.
    func checkLines(_ bytes: [UInt8], path: String) throws(KnowledgeError) {
        var lines = 1
        var start = 0
        for (position, byte) in bytes.enumerated() {
            if byte == 0 { throw KnowledgeError(.invalidText, "\(path) isn't text: byte \(position) is 0.") }
            guard byte == 0x0A || byte == 0x0D else { continue }
            try self.checkLine(position - start, number: lines, path: path)
            lines += byte == 0x0A && position > 0 && bytes[position - 1] == 0x0D ? 0 : 1
            start = position + 1
        }
        try self.checkLine(bytes.count - start, number: lines, path: path)
        guard lines <= self.limits.maximumLines else {
            throw KnowledgeError(
                .tooManyLines,
                "\(path) has \(lines) lines; at most \(self.limits.maximumLines) are read. Split it into smaller files."
            )
        }
    }

    private func checkLine(_ length: Int, number: Int, path: String) throws(KnowledgeError) {
        guard length > self.limits.maximumTextLineBytes else { return }
        throw KnowledgeError(
            .lineTooLong,
            "Line \(number) of \(path) has \(length) bytes; at most \(self.limits.maximumTextLineBytes) are read. "
                + "Break it into lines, or leave the file out."
        )
    }
}
