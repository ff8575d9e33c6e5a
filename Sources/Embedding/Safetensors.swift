import JSON

/// A file of tensors: eight bytes with the length of a JSON header, the header, and the numbers.
///
/// Format: github.com/huggingface/safetensors, "Format".
struct Safetensors: Sendable {
    private let file: MappedFile
    private let header: JSONObject
    private let dataStart: Int

    /// The longest header that is read; the format allows 100 MB, this model needs 10 kB.
    private static let maximumHeaderBytes = 1 << 20

    init(path: String) throws(EmbeddingError) {
        let file = try MappedFile(path: path)
        let bytes = file.bytes
        guard bytes.count >= 8 else { throw file.corrupt("it has no header") }
        let length = UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self))
        guard length <= UInt64(min(Self.maximumHeaderBytes, bytes.count - 8)) else {
            throw file.corrupt("its header would be \(length) bytes long")
        }
        let dataStart = 8 + Int(length)
        guard
            let header = (try? JSONValue(parsing: UnsafeRawBufferPointer(rebasing: bytes[8..<dataStart])))?.objectValue
        else { throw file.corrupt("its header is not a JSON object") }
        self.file = file
        self.header = header
        self.dataStart = dataStart
    }

    /// The numbers of a tensor of 32-bit floats. They are valid as long as this value or a copy of it.
    ///
    /// - Throws: ``EmbeddingError`` if the file holds no such tensor of this shape.
    func floats(_ name: String, shape: [Int]) throws(EmbeddingError) -> UnsafePointer<Float> {
        let size = shape.reduce(MemoryLayout<Float>.stride, *)
        let dataSize = self.file.bytes.count - self.dataStart
        // The comparison comes before the subtraction and the sum, so that no offset can overflow them.
        guard let entry = self.header[name], entry["dtype"] == "F32",
            entry["shape"] == .array(shape.map(JSONValue.integer)),
            let start = entry["data_offsets"]?[0]?.intValue, let end = entry["data_offsets"]?[1]?.intValue,
            0 <= start, start <= end, end <= dataSize, end - start == size,
            (self.dataStart + start).isMultiple(of: MemoryLayout<Float>.alignment),
            let base = self.file.bytes.baseAddress
        else { throw self.file.corrupt("it has no tensor \(name) of shape \(shape)") }
        return (base + self.dataStart + start).assumingMemoryBound(to: Float.self)
    }
}
