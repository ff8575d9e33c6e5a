/// Comparison by code point. Swift compares strings by canonical equivalence, under which "é" and "e" with a combining
/// accent are one key; to JSON they are two (RFC 8259, section 8.3).
extension String {
    /// Whether both strings have the same Unicode scalars.
    func hasSameScalars(as other: String) -> Bool {
        guard self.utf8.count == other.utf8.count else { return false }
        let same = self.utf8.withContiguousStorageIfAvailable { left in
            other.utf8.withContiguousStorageIfAvailable { right in
                left.hasSameBytes(as: right)
            }
        }
        // A string that is not stored as UTF-8 can only come from another runtime, such as Objective-C's.
        return (same ?? nil) ?? self.utf8.elementsEqual(other.utf8)
    }

    /// Feeds the Unicode scalars to a hasher.
    func hashScalars(into hasher: inout Hasher) {
        var copy = self
        copy.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
        hasher.combine(0xFF as UInt8)
    }
}

extension UnsafeBufferPointer<UInt8> {
    /// Whether both buffers, which have the same length, hold the same bytes.
    ///
    /// Compares eight bytes at a time.
    fileprivate func hasSameBytes(as other: UnsafeBufferPointer<UInt8>) -> Bool {
        guard let left = UnsafeRawPointer(self.baseAddress), let right = UnsafeRawPointer(other.baseAddress) else {
            return true
        }
        var offset = 0
        while offset + 8 <= self.count {
            let leftWord = left.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
            let rightWord = right.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
            if leftWord != rightWord { return false }
            offset += 8
        }
        while offset < self.count {
            if self[offset] != other[offset] { return false }
            offset += 1
        }
        return true
    }
}

/// A string that is compared by code point, for keys of a dictionary.
struct ScalarString: Hashable {
    let string: String

    init(_ string: String) { self.string = string }

    static func == (left: Self, right: Self) -> Bool { left.string.hasSameScalars(as: right.string) }

    func hash(into hasher: inout Hasher) { self.string.hashScalars(into: &hasher) }
}
