import Knowledge
import Processes

/// Turns PDF documents into text by way of poppler's `pdfinfo` and `pdftotext`, which run as processes of their own with
/// limits on time and memory.
///
/// Each page is a heading `Page 3` that isn't part of the text, so that every citation names its page.
struct PDFReader {
    let limits: ExtractionLimits

    /// Reads a document.
    ///
    /// - Throws: ``KnowledgeError/Code/encrypted``, ``KnowledgeError/Code/malformed``,
    ///   ``KnowledgeError/Code/tooManyParts``, ``KnowledgeError/Code/expandsTooMuch``,
    ///   ``KnowledgeError/Code/tookTooLong``, ``KnowledgeError/Code/emptyDocument``,
    ///   ``KnowledgeError/Code/extractionFailed``.
    func document(in bytes: [UInt8], path: String) async throws(KnowledgeError) -> Document {
        let information = try await self.information(bytes, path: path)
        let result = try await self.run("pdftotext", ["-q", "-enc", "UTF-8", "/dev/stdin", "-"], bytes, path: path)
        try self.check(result, path: path)
        // What fonts without a proper encoding give; poppler replaces most of it, but control characters stay.
        let text = String(decoding: result.output.filter { $0 != 0 }, as: UTF8.self)
        let name = path.split(separator: "/").last.map(String.init) ?? path
        let (content, blocks) = Self.blocks(of: text)
        guard blocks.contains(where: { $0.kind == .paragraph }) else {
            throw KnowledgeError(
                .emptyDocument,
                "\(path) holds no text. If it was scanned, run it through text recognition (OCR) first."
            )
        }
        return Document(id: path, title: information.title ?? name, text: content, blocks: blocks)
    }

    /// Asks for the title and makes sure that there aren't too many pages.
    private func information(
        _ bytes: [UInt8],
        path: String
    ) async throws(KnowledgeError) -> (title: String?, pages: Int) {
        let result: Program.Result
        do {
            result = try await self.run("pdfinfo", ["-enc", "UTF-8", "/dev/stdin"], bytes, path: path)
        } catch  where error.code == .expandsTooMuch {
            // What there is to say about a sound file is short; this was one complaint after the other.
            throw self.malformed(path)
        }
        try self.check(result, path: path)
        var title: String?
        var pages = 0
        for line in String(decoding: result.output, as: UTF8.self).split(separator: "\n") {
            let parts = line.split(separator: ":", maxSplits: 1)
            guard parts.count == 2 else { continue }
            let value = parts[1].split(whereSeparator: \.isWhitespace).joined(separator: " ")
            if parts[0] == "Title", !value.isEmpty { title = String(value.prefix(500)) }
            if parts[0] == "Pages" { pages = Int(value) ?? 0 }
        }
        guard pages <= self.limits.maximumPages else {
            throw KnowledgeError(
                .tooManyParts,
                "\(path) has \(pages) pages; at most \(self.limits.maximumPages) are read. Split it into smaller files."
            )
        }
        return (title, pages)
    }

    private func run(
        _ program: String,
        _ arguments: [String],
        _ bytes: [UInt8],
        path: String
    ) async throws(KnowledgeError) -> Program.Result {
        let run = Program(program, arguments: arguments, limits: self.limits.programLimits)
        do {
            return try await run.run(input: bytes)
        } catch {
            throw KnowledgeError(program: error, path: path, needs: "poppler-utils")
        }
    }

    /// Exit codes of poppler's programs: 1 can't be opened, 3 permissions.
    private func check(_ result: Program.Result, path: String) throws(KnowledgeError) {
        if result.exitStatus == 0 { return }
        if result.errorText.contains("Incorrect password") {
            throw KnowledgeError(.encrypted, "\(path) is encrypted. Save it without a password.")
        }
        if result.exitStatus == 3 {
            throw KnowledgeError(.encrypted, "\(path) doesn't permit that its text is copied.")
        }
        if result.exitStatus == 127 {
            throw KnowledgeError(
                .extractionFailed,
                "\(path) can't be read: install poppler-utils, which has the programs for PDF."
            )
        }
        if result.exitStatus == nil || result.errorText.contains("ut of memory") {
            throw KnowledgeError(
                .extractionFailed,
                "\(path) can't be read: the program for PDF ended, probably because it needed more than "
                    + "\(self.limits.memoryBytes) bytes of memory."
            )
        }
        throw self.malformed(path)
    }

    private func malformed(_ path: String) -> KnowledgeError {
        KnowledgeError(.malformed, "\(path) can't be read as PDF: it is damaged or cut off.")
    }

    /// Pages are separated by form feeds, which stay in the text.
    private static func blocks(of text: String) -> (text: String, blocks: [Block]) {
        let bytes = Array(text.utf8)
        var blocks: [Block] = []
        var page = 1
        var start = 0
        for end in bytes.indices.filter({ bytes[$0] == 0x0C }) + [bytes.count] {
            let content = Block.paragraphs(in: String(decoding: bytes[start..<end], as: UTF8.self))
            if !content.isEmpty {
                blocks.append(Block(.heading(level: 6, title: "Page \(page)"), span: start..<start))
                blocks += content.map { block in
                    Block(block.kind, span: block.span.lowerBound + start..<block.span.upperBound + start)
                }
            }
            page += 1
            start = end + 1
        }
        return (text, blocks)
    }
}

extension ExtractionLimits {
    /// What a program may take that reads one file.
    var programLimits: Program.Limits {
        Program.Limits(
            time: self.time,
            processorSeconds: self.processorSeconds,
            memoryBytes: self.memoryBytes,
            outputBytes: self.maximumUnpackedBytes
        )
    }
}

extension KnowledgeError {
    /// Says what a program that gave no answer means for a file.
    init(program error: ProgramError, path: String, needs package: String) {
        switch error.code {
        case .notFound:
            self.init(.extractionFailed, "\(path) can't be read: install \(package).", cause: error)
        case .tookTooLong:
            self.init(.tookTooLong, "\(path) took too long to read and was given up; it may be damaged.", cause: error)
        case .outputTooLarge:
            self.init(.expandsTooMuch, "\(path) holds more text than is read of one file.", cause: error)
        case .cancelled:
            self.init(.cancelled, "The task was cancelled.", cause: error)
        default:
            self.init(.extractionFailed, "\(path) can't be read: \(error.message)", cause: error)
        }
    }
}
