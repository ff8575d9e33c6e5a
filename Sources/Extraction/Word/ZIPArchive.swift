import CZlib
import Knowledge

/// The entries of a ZIP archive, as far as Office documents use them (APPNOTE.TXT 6.3.10): stored or deflated, without
/// encryption, ZIP64 or several volumes.
///
/// Names of entries are only compared, never used as paths. Nothing is unpacked beyond its limits, whatever the archive
/// says about sizes.
struct ZIPArchive {
    private struct Entry {
        var method: Int
        var isEncrypted: Bool
        var packedSize: Int
        var headerOffset: Int
    }

    private let bytes: [UInt8]
    private let path: String
    private let limits: ExtractionLimits
    private var entries: [String: Entry] = [:]

    /// Reads the directory of an archive.
    ///
    /// - Throws: ``KnowledgeError/Code/malformed``, ``KnowledgeError/Code/tooManyParts``.
    init(_ bytes: [UInt8], path: String, limits: ExtractionLimits) throws(KnowledgeError) {
        self.bytes = bytes
        self.path = path
        self.limits = limits
        try self.readDirectory()
    }

    var names: some Collection<String> { self.entries.keys }

    func contains(_ name: String) -> Bool { self.entries[name] != nil }

    /// Unpacks an entry.
    ///
    /// - Returns: Nothing if there is no entry of this name.
    /// - Throws: ``KnowledgeError/Code/encrypted``, ``KnowledgeError/Code/expandsTooMuch``,
    ///   ``KnowledgeError/Code/malformed``.
    func content(of name: String) throws(KnowledgeError) -> [UInt8]? {
        guard let entry = self.entries[name] else { return nil }
        guard !entry.isEncrypted else {
            throw KnowledgeError(.encrypted, "\(self.path) is encrypted. Save it without a password.")
        }
        // The local header has its own copy of the name and another extra field (4.3.7).
        let header = entry.headerOffset
        guard self.number(at: header, bytes: 4) == 0x0403_4B50, let nameLength = self.number(at: header + 26, bytes: 2),
            let extraLength = self.number(at: header + 28, bytes: 2)
        else { throw self.malformed("an entry isn't where the directory says") }
        let start = header + 30 + nameLength + extraLength
        guard start <= self.bytes.count, entry.packedSize <= self.bytes.count - start else {
            throw self.malformed("an entry reaches beyond the end")
        }
        let packed = self.bytes[start..<start + entry.packedSize]
        switch entry.method {
        case 0: return Array(packed)
        case 8: return try self.inflate(packed, name: name)
        default: throw self.malformed("an entry is packed by an unknown method")
        }
    }

    private mutating func readDirectory() throws(KnowledgeError) {
        guard let end = self.endOfDirectory(), let count = self.number(at: end + 10, bytes: 2),
            var position = self.number(at: end + 16, bytes: 4)
        else { throw self.malformed("it has no directory; it may be cut off") }
        guard count <= self.limits.maximumArchiveEntries else {
            throw KnowledgeError(
                .tooManyParts,
                "\(self.path) has \(count) entries; at most \(self.limits.maximumArchiveEntries) are read."
            )
        }
        for _ in 0..<count {
            guard self.number(at: position, bytes: 4) == 0x0201_4B50,
                let flags = self.number(at: position + 8, bytes: 2),
                let method = self.number(at: position + 10, bytes: 2),
                let packedSize = self.number(at: position + 20, bytes: 4),
                let nameLength = self.number(at: position + 28, bytes: 2),
                let extraLength = self.number(at: position + 30, bytes: 2),
                let commentLength = self.number(at: position + 32, bytes: 2),
                let offset = self.number(at: position + 42, bytes: 4),
                position + 46 + nameLength <= self.bytes.count
            else { throw self.malformed("its directory is damaged") }
            let name = String(decoding: self.bytes[position + 46..<position + 46 + nameLength], as: UTF8.self)
            self.entries[name] = Entry(
                method: method,
                isEncrypted: flags & 1 != 0,
                packedSize: packedSize,
                headerOffset: offset
            )
            position += 46 + nameLength + extraLength + commentLength
        }
    }

    /// Looks for the end record from the end: a comment of up to 65,535 bytes may follow it (4.3.16).
    private func endOfDirectory() -> Int? {
        guard self.bytes.count >= 22 else { return nil }
        let last = self.bytes.count - 22
        return stride(from: last, through: max(0, last - 65_535), by: -1).first { position in
            self.number(at: position, bytes: 4) == 0x0605_4B50
        }
    }

    private func inflate(_ packed: ArraySlice<UInt8>, name: String) throws(KnowledgeError) -> [UInt8] {
        let allowed = min(self.limits.maximumUnpackedBytes, max(1 << 20, packed.count * self.limits.maximumExpansion))
        var stream = z_stream()
        // Minus the window size: raw deflate, without a zlib header.
        guard inflateInit2_(&stream, -MAX_WBITS, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
            throw KnowledgeError(.extractionFailed, "There is no memory to unpack \(self.path).")
        }
        defer { inflateEnd(&stream) }
        var input = Array(packed)
        var output: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 64 << 10)
        let status = input.withUnsafeMutableBufferPointer { source -> Int32 in
            stream.next_in = source.baseAddress
            stream.avail_in = UInt32(source.count)
            while true {
                let (status, count) = piece.withUnsafeMutableBufferPointer { target -> (Int32, Int) in
                    stream.next_out = target.baseAddress
                    stream.avail_out = UInt32(target.count)
                    let status = CZlib.inflate(&stream, Z_NO_FLUSH)
                    return (status, target.count - Int(stream.avail_out))
                }
                output += piece[..<count]
                if output.count > allowed { return Z_MEM_ERROR }
                if status != Z_OK { return status }
            }
        }
        guard status != Z_MEM_ERROR else {
            throw KnowledgeError(
                .expandsTooMuch,
                "\(name) in \(self.path) becomes larger than \(allowed) bytes when it is unpacked; it may be a ZIP bomb."
            )
        }
        guard status == Z_STREAM_END else { throw self.malformed("\(name) in it is damaged or cut off") }
        return output
    }

    private func number(at position: Int, bytes count: Int) -> Int? {
        guard position >= 0, position + count <= self.bytes.count else { return nil }
        return (0..<count).reduce(0) { $0 | Int(self.bytes[position + $1]) << ($1 * 8) }
    }

    private func malformed(_ reason: String) -> KnowledgeError {
        KnowledgeError(.malformed, "\(self.path) can't be read as a ZIP archive: \(reason).")
    }
}
