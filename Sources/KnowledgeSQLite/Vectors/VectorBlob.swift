import Foundation
import Knowledge

/// How vectors are kept in the database: the components as little-endian 32-bit floating-point numbers.
enum VectorBlob {
    static func data(_ vector: [Float]) -> Data {
        var data = Data(capacity: vector.count * 4)
        for component in vector {
            withUnsafeBytes(of: component.bitPattern.littleEndian) { data.append(contentsOf: $0) }
        }
        return data
    }

    /// - Throws: ``KnowledgeError/Code/storeFailed`` if the vector hasn't as many components as it should.
    static func vector(_ data: Data, dimension: Int) throws(KnowledgeError) -> [Float] {
        guard data.count == dimension * 4 else {
            throw KnowledgeError(.storeFailed, "The index holds a vector of the wrong size.")
        }
        return [Float](unsafeUninitializedCapacity: dimension) { buffer, count in
            data.withUnsafeBytes { bytes in
                for component in 0..<dimension {
                    let bits = bytes.loadUnaligned(fromByteOffset: component * 4, as: UInt32.self)
                    buffer[component] = Float(bitPattern: UInt32(littleEndian: bits))
                }
            }
            count = dimension
        }
    }
}
