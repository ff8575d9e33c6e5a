/// What a file holds, by its name and its first bytes.
enum FileKind: Sendable, Hashable {
    case markdown
    case plainText
    case html
    case jsonLines
    case sourceCode

    /// Returns the kind of a file that holds text.
    init(path: String, text: String) {
        switch Self.extensionName(of: path) {
        case "md", "markdown", "mdown", "mkd": self = .markdown
        case "html", "htm", "xhtml": self = .html
        case "jsonl", "ndjson": self = .jsonLines
        case let name where Self.sourceExtensions.contains(name): self = .sourceCode
        case "txt", "text", "log", "rst", "adoc", "csv", "tsv": self = .plainText
        default: self = Self.looksLikeHTML(text) ? .html : .plainText
        }
    }

    /// Returns the part of a file's name after its last dot, in lower case, or an empty string.
    static func extensionName(of path: String) -> String {
        let name = path.split(separator: "/").last ?? ""
        guard let dot = name.lastIndex(of: "."), dot != name.startIndex else { return "" }
        return name[name.index(after: dot)...].lowercased()
    }

    /// Returns what a file is that isn't text, for the error, or nothing if its first bytes give no sign of that.
    static func binaryFormat(of bytes: [UInt8]) -> String? {
        for (signature, name) in Self.signatures where bytes.starts(with: signature) { return name }
        return nil
    }

    private static func looksLikeHTML(_ text: String) -> Bool {
        let start = text.prefix(512).drop(while: \.isWhitespace).lowercased()
        return start.hasPrefix("<!doctype html") || start.hasPrefix("<html")
    }

    private static let signatures: [([UInt8], String)] = [
        (Array("%PDF-".utf8), "a PDF document"),
        ([0x50, 0x4B, 0x03, 0x04], "a ZIP archive or an Office document"),
        ([0x1F, 0x8B], "a gzip archive"),
        ([0x42, 0x5A, 0x68], "a bzip2 archive"),
        ([0x28, 0xB5, 0x2F, 0xFD], "a Zstandard archive"),
        ([0xFD, 0x37, 0x7A, 0x58, 0x5A], "an XZ archive"),
        ([0x89, 0x50, 0x4E, 0x47], "a PNG image"),
        ([0xFF, 0xD8, 0xFF], "a JPEG image"),
        (Array("GIF8".utf8), "a GIF image"),
        ([0x7F, 0x45, 0x4C, 0x46], "a program"),
        ([0xD0, 0xCF, 0x11, 0xE0], "an old Office document"),
        (Array("SQLite format 3".utf8), "an SQLite database"),
        ([0xFF, 0xFE], "text in UTF-16"),
        ([0xFE, 0xFF], "text in UTF-16"),
    ]

    /// Extensions of files that hold no text, so that a folder can be walked without opening them.
    static let binaryExtensions: Set<String> = [
        "7z", "a", "avi", "bin", "bmp", "bz2", "class", "dll", "dmg", "doc", "docx", "dylib", "eot", "exe", "gif", "gz",
        "ico", "iso", "jar", "jpeg", "jpg", "mov", "mp3", "mp4", "o", "odt", "ogg", "otf", "pdf", "png", "ppt", "pptx",
        "pyc", "rar", "so", "sqlite", "tar", "tgz", "tiff", "ttf", "wasm", "wav", "webm", "webp", "woff", "woff2",
        "xls", "xlsx", "xz", "zip", "zst",
    ]

    private static let sourceExtensions: Set<String> = [
        "bash", "c", "cc", "cfg", "clj", "cmake", "conf", "cpp", "cs", "css", "cxx", "dart", "dockerfile", "ex", "exs",
        "fs", "go", "gradle", "graphql", "groovy", "h", "hcl", "hh", "hpp", "hs", "ini", "java", "jl", "js", "json",
        "jsx", "kt", "kts", "lua", "m", "mjs", "ml", "mm", "nix", "php", "pl", "pm", "properties", "proto", "ps1", "py",
        "r", "rb", "rs", "scala", "scss", "sh", "sql", "swift", "tcl", "tf", "toml", "ts", "tsx", "vb", "vue", "xml",
        "yaml", "yml", "zig", "zsh",
    ]
}
