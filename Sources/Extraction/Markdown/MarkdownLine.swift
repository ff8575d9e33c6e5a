import Knowledge

/// One line of Markdown, and what it may be the start of.
struct MarkdownLine {
    /// The start of a fenced code block.
    struct Fence {
        var character: Character
        var length: Int
    }

    let span: Range<Int>
    let isBlank: Bool
    let text: String
    /// How many columns the line is indented by, a tab counting as four.
    let indentation: Int

    init(_ line: TextLines.Line, bytes: [UInt8]) {
        self.span = line.span
        self.isBlank = line.isBlank
        self.text = String(decoding: bytes[line.span], as: UTF8.self)
        var indentation = 0
        for byte in bytes[line.span] {
            if byte == 0x20 { indentation += 1 } else if byte == 0x09 { indentation += 4 } else { break }
        }
        self.indentation = indentation
    }

    /// The line without the spaces and tabs around it.
    var trimmed: Substring {
        var text = self.text.drop(while: { $0 == " " || $0 == "\t" })
        while let last = text.last, last == " " || last == "\t" { text.removeLast() }
        return text
    }

    /// An ATX heading (CommonMark 4.2).
    var heading: (level: Int, title: String)? {
        guard self.indentation < 4 else { return nil }
        let trimmed = self.trimmed
        let level = trimmed.prefix(while: { $0 == "#" }).count
        guard (1...6).contains(level) else { return nil }
        let rest = trimmed.dropFirst(level)
        guard rest.isEmpty || rest.first == " " || rest.first == "\t" else { return nil }
        var title = rest
        while title.last == "#" { title.removeLast() }
        // Number signs at the end close the heading only after a space.
        let isClosed = title.isEmpty || title.last == " " || title.last == "\t"
        return (level, Self.plainText(of: String(isClosed ? title : rest)))
    }

    /// The level of the heading that this line makes of the paragraph before it (CommonMark 4.3).
    var underlineLevel: Int? {
        guard self.indentation < 4, let first = self.trimmed.first, first == "=" || first == "-" else { return nil }
        guard self.trimmed.allSatisfy({ $0 == first }) else { return nil }
        return first == "=" ? 1 : 2
    }

    var isThematicBreak: Bool {
        guard self.indentation < 4 else { return false }
        let marks = self.text.filter { $0 != " " && $0 != "\t" }
        guard marks.count >= 3, let first = marks.first, "-*_".contains(first) else { return false }
        return marks.allSatisfy { $0 == first }
    }

    var fence: Fence? {
        let trimmed = self.trimmed
        guard let character = trimmed.first, character == "`" || character == "~" else { return nil }
        let length = trimmed.prefix(while: { $0 == character }).count
        guard length >= 3, character == "~" || !trimmed.dropFirst(length).contains("`") else { return nil }
        return Fence(character: character, length: length)
    }

    /// Returns whether the line ends a fenced code block.
    func closes(_ fence: Fence) -> Bool {
        let trimmed = self.trimmed
        return trimmed.count >= fence.length && trimmed.allSatisfy { $0 == fence.character }
    }

    var isIndentedCode: Bool { !self.isBlank && self.indentation >= 4 }

    /// The row of dashes under a table's head.
    var isTableDelimiter: Bool {
        let trimmed = self.trimmed
        return trimmed.contains("-") && trimmed.contains("|") && trimmed.allSatisfy { "|-: \t".contains($0) }
    }

    /// How wide the marker of a list item is, or nothing if the line doesn't begin with one.
    var listMarkerWidth: Int? {
        guard !self.isThematicBreak else { return nil }
        let trimmed = self.trimmed
        let digits = trimmed.prefix(while: { $0.isASCII && $0.isNumber }).count
        let marker = trimmed.dropFirst(digits)
        guard let sign = marker.first else { return nil }
        let isMarker = digits == 0 ? "-*+".contains(sign) : digits <= 9 && ".)".contains(sign)
        guard isMarker else { return nil }
        let rest = marker.dropFirst()
        return rest.isEmpty || rest.first == " " || rest.first == "\t" ? digits + 1 : nil
    }

    /// Returns the text of a heading without emphasis, code marks and the addresses of links.
    static func plainText(of markdown: String) -> String {
        var text = ""
        var rest = Substring(markdown)
        while let character = rest.first {
            rest.removeFirst()
            switch character {
            case "`", "*": continue
            case "\\": if let escaped = rest.popFirst() { text.append(escaped) }
            case "!" where rest.first == "[": continue
            case "[": continue
            case "]":
                guard rest.first == "(", let end = rest.firstIndex(of: ")") else { continue }
                rest = rest[rest.index(after: end)...]
            default: text.append(character)
            }
        }
        return text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    }
}
