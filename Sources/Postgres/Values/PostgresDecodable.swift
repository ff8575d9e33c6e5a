public import struct Foundation.Date

/// A type that a column can be read as.
public protocol PostgresDecodable {
    /// Creates a value from a column in PostgreSQL's binary format, or `nil` if it is of a type that can't be read as this.
    ///
    /// - Parameters:
    ///   - bytes: The value. It is gone after the call.
    ///   - type: The number of its type (`pg_type.oid`).
    init?(postgres bytes: UnsafeRawBufferPointer, type: UInt32)
}

extension Bool: PostgresDecodable {
    public init?(postgres bytes: UnsafeRawBufferPointer, type: UInt32) {
        guard type == TypeID.bool, bytes.count == 1 else { return nil }
        self = bytes[0] != 0
    }
}

extension Int64: PostgresDecodable {
    public init?(postgres bytes: UnsafeRawBufferPointer, type: UInt32) {
        switch (type, bytes.count) {
        case (TypeID.int8, 8): self = bytes.integer(at: 0)
        case (TypeID.int4, 4): self = Int64(bytes.integer(at: 0, as: Int32.self))
        case (TypeID.int2, 2): self = Int64(bytes.integer(at: 0, as: Int16.self))
        case (TypeID.oid, 4): self = Int64(bytes.integer(at: 0, as: UInt32.self))
        default: return nil
        }
    }
}

extension Int: PostgresDecodable {
    public init?(postgres bytes: UnsafeRawBufferPointer, type: UInt32) {
        guard let value = Int64(postgres: bytes, type: type) else { return nil }
        self.init(exactly: value)
    }
}

extension Double: PostgresDecodable {
    public init?(postgres bytes: UnsafeRawBufferPointer, type: UInt32) {
        switch (type, bytes.count) {
        case (TypeID.float8, 8): self.init(bitPattern: bytes.integer(at: 0))
        case (TypeID.float4, 4): self.init(Float(bitPattern: bytes.integer(at: 0)))
        default: return nil
        }
    }
}

extension Float: PostgresDecodable {
    public init?(postgres bytes: UnsafeRawBufferPointer, type: UInt32) {
        guard let value = Double(postgres: bytes, type: type) else { return nil }
        self.init(value)
    }
}

extension String: PostgresDecodable {
    /// Reads text, JSON (as text) and values of enumerations.
    public init?(postgres bytes: UnsafeRawBufferPointer, type: UInt32) {
        switch type {
        case TypeID.text, TypeID.varchar, TypeID.bpchar, TypeID.name, TypeID.char, TypeID.json, TypeID.unknown:
            self.init(decoding: bytes, as: UTF8.self)
        case TypeID.jsonb:
            // The first byte is the version of the format.
            guard bytes.first == 1 else { return nil }
            self.init(decoding: bytes.dropFirst(), as: UTF8.self)
        case TypeID.firstOfUsers...:
            guard let text = String(validating: bytes, as: UTF8.self) else { return nil }
            self = text
        default: return nil
        }
    }
}

extension Date: PostgresDecodable {
    public init?(postgres bytes: UnsafeRawBufferPointer, type: UInt32) {
        guard type == TypeID.timestamptz || type == TypeID.timestamp, bytes.count == 8 else { return nil }
        let microseconds = bytes.integer(at: 0, as: Int64.self)
        self.init(timeIntervalSince1970: secondsFrom1970To2000 + Double(microseconds) / 1_000_000)
    }
}

extension Array: PostgresDecodable where Element: PostgresArrayElement {
    /// Reads an array of one dimension without NULLs; `bytea` as `[UInt8]`; `vector` and `halfvec` as `[Float]`.
    public init?(postgres bytes: UnsafeRawBufferPointer, type: UInt32) {
        guard let elements = Element.array(postgres: bytes, type: type) else { return nil }
        self = elements
    }
}

/// A type that the elements of an array can be read as.
public protocol PostgresArrayElement {
    /// Reads all elements of a column.
    ///
    /// - Returns: `nil` if a value of that type can't be read as such an array.
    static func array(postgres bytes: UnsafeRawBufferPointer, type: UInt32) -> [Self]?
}

extension PostgresArrayElement where Self: PostgresDecodable {
    public static func array(postgres bytes: UnsafeRawBufferPointer, type: UInt32) -> [Self]? {
        readArray(bytes)
    }
}

extension Bool: PostgresArrayElement {}
extension Int: PostgresArrayElement {}
extension Int64: PostgresArrayElement {}
extension Double: PostgresArrayElement {}
extension String: PostgresArrayElement {}

extension UInt8: PostgresArrayElement {
    public static func array(postgres bytes: UnsafeRawBufferPointer, type: UInt32) -> [UInt8]? {
        type == TypeID.bytea ? Array(bytes) : nil
    }
}

extension Float: PostgresArrayElement {
    public static func array(postgres bytes: UnsafeRawBufferPointer, type: UInt32) -> [Float]? {
        guard type >= TypeID.firstOfUsers else { return readArray(bytes) }
        guard bytes.count >= 4 else { return nil }
        let dimensions = Int(bytes.integer(at: 0, as: UInt16.self))
        switch bytes.count - 4 {
        case dimensions * 4:
            return (0..<dimensions).map { Float(bitPattern: bytes.integer(at: 4 + $0 * 4)) }
        case dimensions * 2:
            return (0..<dimensions).map { floatFromHalf(bytes.integer(at: 4 + $0 * 2)) }
        default: return nil
        }
    }
}

/// Reads an array of at most one dimension without NULLs.
private func readArray<Element: PostgresDecodable>(_ bytes: UnsafeRawBufferPointer) -> [Element]? {
    guard bytes.count >= 12 else { return nil }
    let dimensions = bytes.integer(at: 0, as: Int32.self)
    let type = bytes.integer(at: 8, as: UInt32.self)
    guard dimensions == 1, bytes.count >= 20 else { return dimensions == 0 ? [] : nil }
    let count = Int(bytes.integer(at: 12, as: Int32.self))
    var elements: [Element] = []
    elements.reserveCapacity(min(max(count, 0), bytes.count / 4))
    var position = 20
    for _ in 0..<max(count, 0) {
        guard position + 4 <= bytes.count else { return nil }
        let length = Int(bytes.integer(at: position, as: Int32.self))
        position += 4
        guard length >= 0, position + length <= bytes.count,
            let element = Element(
                postgres: UnsafeRawBufferPointer(rebasing: bytes[position..<position + length]),
                type: type
            )
        else { return nil }
        elements.append(element)
        position += length
    }
    return elements
}

extension UnsafeRawBufferPointer {
    /// The integer at an offset, most significant byte first.
    ///
    /// The caller has checked that it is there.
    func integer<Value: FixedWidthInteger>(at offset: Int, as type: Value.Type = Value.self) -> Value {
        Value(bigEndian: self.loadUnaligned(fromByteOffset: offset, as: Value.self))
    }
}
