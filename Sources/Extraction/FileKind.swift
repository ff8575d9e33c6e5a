/// What a file holds, by its first bytes where they tell, and else by its name.
enum FileKind: Sendable, Hashable {
    case markdown
    case reStructuredText
    case plainText
    case html
    case jsonLines
    case sourceCode
    case pdf
    /// A Word document, or another file that is a ZIP archive.
    case archive

    /// Returns the kind of a file, which may lie about itself in its name.
    init(path: String, bytes: [UInt8]) {
        // A PDF reader looks for the header in the first 1,024 bytes (ISO 32000-1, annex H.3.4.1).
        if Self.isPDF(bytes, extensionName: Self.extensionName(of: path)) {
            self = .pdf
        } else if bytes.starts(with: [0x50, 0x4B, 0x03, 0x04]) || bytes.starts(with: [0x50, 0x4B, 0x05, 0x06]) {
            self = .archive
        } else {
            self = Self.textKind(path: path, bytes: bytes)
        }
    }

    private static func isPDF(_ bytes: [UInt8], extensionName: String) -> Bool {
        if bytes.starts(with: Array("%PDF-".utf8)) { return true }
        guard extensionName == "pdf" else { return false }
        let start = bytes.prefix(1024)
        return start.indices.contains { start[$0...].starts(with: Array("%PDF-".utf8)) }
    }

    private static func textKind(path: String, bytes: [UInt8]) -> FileKind {
        switch Self.extensionName(of: path) {
        case "md", "markdown", "mdown", "mkd": .markdown
        case "rst", "rest": .reStructuredText
        case "html", "htm", "xhtml": .html
        case "jsonl", "ndjson": .jsonLines
        case let name where SourceLanguage.isSource(extensionName: name): .sourceCode
        case "txt", "text", "log", "adoc", "csv", "tsv": .plainText
        default: Self.looksLikeHTML(bytes) ? .html : .plainText
        }
    }

    /// Returns the part of a file's name after its last dot, in lower case, or an empty string.
    static func extensionName(of path: String) -> String {
        let name = path.split(separator: "/").last ?? ""
        if ["Dockerfile", "Makefile"].contains(name) { return name.lowercased() }
        guard let dot = name.lastIndex(of: "."), dot != name.startIndex else { return "" }
        return name[name.index(after: dot)...].lowercased()
    }

    /// Returns what a file is that can't be read, for the error, or nothing if its first bytes give no sign of that.
    static func unreadableFormat(of bytes: [UInt8]) -> String? {
        for (signature, name) in Self.signatures where bytes.starts(with: signature) { return name }
        if bytes.count > 262, bytes[257..<262].elementsEqual("ustar".utf8) { return "a tar archive" }
        return nil
    }

    private static func looksLikeHTML(_ bytes: [UInt8]) -> Bool {
        let start = String(decoding: bytes.prefix(512), as: UTF8.self).drop(while: \.isWhitespace).lowercased()
        return start.hasPrefix("<!doctype html") || start.hasPrefix("<html")
    }

    private static let signatures: [([UInt8], String)] = [
        ([0x1F, 0x8B], "a gzip archive"),
        (Array("BZh".utf8), "a bzip2 archive"),
        ([0x28, 0xB5, 0x2F, 0xFD], "a Zstandard archive"),
        ([0xFD, 0x37, 0x7A, 0x58, 0x5A], "an XZ archive"),
        ([0x37, 0x7A, 0xBC, 0xAF, 0x27, 0x1C], "a 7z archive"),
        (Array("Rar!".utf8), "a RAR archive"),
        ([0x89, 0x50, 0x4E, 0x47], "a PNG image"),
        ([0xFF, 0xD8, 0xFF], "a JPEG image"),
        (Array("GIF8".utf8), "a GIF image"),
        ([0x7F, 0x45, 0x4C, 0x46], "a program"),
        ([0xD0, 0xCF, 0x11, 0xE0], "an Office document of an old format, or one with a password"),
        (Array("{\\rtf".utf8), "an RTF document"),
        (Array("SQLite format 3".utf8), "an SQLite database"),
        ([0xFF, 0xFE, 0x00, 0x00], "text in UTF-32"),
        ([0x00, 0x00, 0xFE, 0xFF], "text in UTF-32"),
    ]

    /// Extensions of files that can't be read, so that a folder can be walked without opening them.
    static let binaryExtensions: Set<String> = [
        "7z", "a", "avi", "bin", "bmp", "bz2", "class", "dll", "dmg", "doc", "dylib", "eot", "exe", "gif", "gz", "ico",
        "iso", "jar", "jpeg", "jpg", "mov", "mp3", "mp4", "o", "odt", "ogg", "otf", "png", "ppt", "pptx", "pyc", "rar",
        "so", "sqlite", "tar", "tgz", "tiff", "ttf", "wasm", "wav", "webm", "webp", "woff", "woff2", "xls", "xlsx",
        "xz", "zip", "zst",
    ]
}
