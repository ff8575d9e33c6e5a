/// The word pieces of a model, found by their UTF-8 bytes.
///
/// A hash table over the bytes of the vocabulary's file: pieces are compared byte for byte, as in the reference, where a
/// dictionary of strings would take different spellings of the same characters for one.
struct Vocabulary: Sendable {
    private struct Slot {
        var hash: UInt64
        /// The index of the piece, or -1.
        var id: Int32
    }

    private let file: MappedFile
    /// Where each piece lies in the file.
    private let pieces: [Range<Int>]
    private let slots: [Slot]
    private let longest: Int

    let unknown: Int32
    let classification: Int32
    let separator: Int32

    private static let maximumPieces = 1 << 20

    /// Opens a vocabulary.
    ///
    /// - Parameter path: A file of pieces in the order of their ids, one per line; those that continue a word start with
    ///   `##`.
    /// - Throws: ``EmbeddingError`` if the file can't be read or has no special tokens.
    init(path: String) throws(EmbeddingError) {
        let file = try MappedFile(path: path)
        var pieces: [Range<Int>] = []
        var start = 0
        while start < file.bytes.count, pieces.count <= Self.maximumPieces {
            let end = file.bytes[start...].firstIndex(of: UInt8(ascii: "\n")) ?? file.bytes.count
            pieces.append(start..<end)
            start = end + 1
        }
        guard pieces.count <= Self.maximumPieces else { throw file.corrupt("it has more than 1,048,576 lines") }

        // At most half full, so that a search ends soon.
        var size = 2
        while size < 2 * pieces.count { size *= 2 }
        var slots = [Slot](repeating: Slot(hash: 0, id: -1), count: size)
        for (id, piece) in pieces.enumerated() {
            let hash = piece.reduce(Self.emptyHash) { Self.hash($0, file.bytes[$1]) }
            var index = Self.index(of: hash, in: size)
            while slots[index].id >= 0 { index = (index + 1) & (size - 1) }
            slots[index] = Slot(hash: hash, id: Int32(id))
        }
        self.file = file
        self.pieces = pieces
        self.slots = slots
        self.longest = pieces.map(\.count).max() ?? 0
        func special(_ name: String) throws(EmbeddingError) -> Int32 {
            guard let id = pieces.firstIndex(where: { file.bytes[$0].elementsEqual(name.utf8) }) else {
                throw file.corrupt("it has no \(name)")
            }
            return Int32(id)
        }
        self.unknown = try special("[UNK]")
        self.classification = try special("[CLS]")
        self.separator = try special("[SEP]")
    }

    var count: Int { self.pieces.count }

    /// The longest piece that the rest of a word begins with, and where it ends.
    func longestPiece(of word: [UInt8], from start: Int) -> (id: Int32, end: Int)? {
        let prefix = start == 0 ? 0 : 2
        var hash = start == 0 ? Self.emptyHash : Self.continuationHash
        var found: (id: Int32, end: Int)?
        for end in start..<min(word.count, start + self.longest - prefix) {
            hash = Self.hash(hash, word[end])
            if let id = self.id(of: word[start...end], hash: hash, prefix: prefix) { found = (id, end + 1) }
        }
        return found
    }

    private func id(of piece: ArraySlice<UInt8>, hash: UInt64, prefix: Int) -> Int32? {
        var index = Self.index(of: hash, in: self.slots.count)
        while self.slots[index].id >= 0 {
            let slot = self.slots[index]
            if slot.hash == hash {
                let known = self.file.bytes[self.pieces[Int(slot.id)]]
                if known.count == prefix + piece.count, known.dropFirst(prefix).elementsEqual(piece),
                    known.prefix(prefix).allSatisfy({ $0 == UInt8(ascii: "#") })
                {
                    return slot.id
                }
            }
            index = (index + 1) & (self.slots.count - 1)
        }
        return nil
    }

    // FNV-1a, which can be carried on byte by byte.
    private static let emptyHash: UInt64 = 0xcbf2_9ce4_8422_2325
    private static let continuationHash = hash(hash(emptyHash, UInt8(ascii: "#")), UInt8(ascii: "#"))

    private static func hash(_ hash: UInt64, _ byte: UInt8) -> UInt64 { (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }

    /// - Parameter size: A power of two.
    private static func index(of hash: UInt64, in size: Int) -> Int {
        Int(truncatingIfNeeded: hash ^ (hash >> 32)) & (size - 1)
    }
}
