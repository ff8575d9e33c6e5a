public import struct Foundation.Date

/// The number that PostgreSQL knows a type by (`pg_type.oid`).
enum TypeID {
    static let unspecified: UInt32 = 0
    static let bool: UInt32 = 16
    static let bytea: UInt32 = 17
    static let char: UInt32 = 18
    static let name: UInt32 = 19
    static let int8: UInt32 = 20
    static let int2: UInt32 = 21
    static let int4: UInt32 = 23
    static let text: UInt32 = 25
    static let oid: UInt32 = 26
    static let json: UInt32 = 114
    static let float4: UInt32 = 700
    static let float8: UInt32 = 701
    static let unknown: UInt32 = 705
    static let bpchar: UInt32 = 1042
    static let varchar: UInt32 = 1043
    static let timestamp: UInt32 = 1114
    static let timestamptz: UInt32 = 1184
    static let uuid: UInt32 = 2950
    static let jsonb: UInt32 = 3802
    static let boolArray: UInt32 = 1000
    static let int2Array: UInt32 = 1005
    static let int4Array: UInt32 = 1007
    static let textArray: UInt32 = 1009
    static let int8Array: UInt32 = 1016
    static let float4Array: UInt32 = 1021
    static let float8Array: UInt32 = 1022
    /// Types of extensions and of users have numbers from here on; they differ from database to database.
    static let firstOfUsers: UInt32 = 16384
}

/// A value for a placeholder of a statement (`$1`, `$2`, …), or for a column of `COPY … (FORMAT binary)`.
///
/// Each has a type of its own, so that `nil` is a NULL of that type. Where the statement needs another one, it says so:
/// `$1::uuid`, `$2::int4`. Values travel in PostgreSQL's binary format.
public struct PostgresParameter: Sendable, Hashable {
    /// The type that the server is told.
    let type: UInt32
    /// The value in binary format, or `nil` for NULL.
    let bytes: [UInt8]?

    private init(_ type: UInt32, _ bytes: [UInt8]?) {
        self.type = type
        self.bytes = bytes
    }

    /// `text`.
    ///
    /// PostgreSQL stores no NUL characters: the server refuses a text that has one.
    public static func text(_ value: String?) -> Self { Self(TypeID.text, value.map { Array($0.utf8) }) }
    /// `bigint`.
    public static func int8(_ value: Int64?) -> Self { Self(TypeID.int8, value.map(bigEndian)) }
    /// `bigint`, from a Swift integer.
    public static func int(_ value: Int?) -> Self { .int8(value.map(Int64.init)) }
    /// `integer`.
    ///
    /// Only `COPY` needs it; elsewhere `int8` is converted by the server.
    public static func int4(_ value: Int32?) -> Self { Self(TypeID.int4, value.map(bigEndian)) }
    /// `smallint`.
    ///
    /// Only `COPY` needs it.
    public static func int2(_ value: Int16?) -> Self { Self(TypeID.int2, value.map(bigEndian)) }
    /// `double precision`.
    public static func float8(_ value: Double?) -> Self { Self(TypeID.float8, value.map { bigEndian($0.bitPattern) }) }
    /// `real`.
    public static func float4(_ value: Float?) -> Self { Self(TypeID.float4, value.map { bigEndian($0.bitPattern) }) }
    /// `boolean`.
    public static func bool(_ value: Bool?) -> Self { Self(TypeID.bool, value.map { [$0 ? 1 : 0] }) }
    /// `bytea`.
    public static func bytea(_ value: [UInt8]?) -> Self { Self(TypeID.bytea, value) }
    /// `jsonb`, from its text.
    public static func jsonb(_ value: String?) -> Self {
        // The first byte is the version of the format.
        Self(TypeID.jsonb, value.map { [1] + Array($0.utf8) })
    }
    /// `timestamp with time zone`, in whole microseconds.
    public static func timestamptz(_ value: Date?) -> Self {
        Self(TypeID.timestamptz, value.map { bigEndian(microsecondsSince2000($0)) })
    }
    /// `text[]`.
    public static func textArray(_ value: [String]?) -> Self {
        Self(TypeID.textArray, value.map { array($0, of: TypeID.text) { Array($0.utf8) } })
    }
    /// `bigint[]`.
    public static func int8Array(_ value: [Int64]?) -> Self {
        Self(TypeID.int8Array, value.map { array($0, of: TypeID.int8, bigEndian) })
    }
    /// `integer[]`.
    public static func int4Array(_ value: [Int32]?) -> Self {
        Self(TypeID.int4Array, value.map { array($0, of: TypeID.int4, bigEndian) })
    }
    /// `double precision[]`.
    public static func float8Array(_ value: [Double]?) -> Self {
        Self(TypeID.float8Array, value.map { array($0, of: TypeID.float8) { bigEndian($0.bitPattern) } })
    }
    /// `real[]`.
    public static func float4Array(_ value: [Float]?) -> Self {
        Self(TypeID.float4Array, value.map { array($0, of: TypeID.float4) { bigEndian($0.bitPattern) } })
    }
    /// pgvector's `vector`, of at most 16,000 dimensions.
    ///
    /// Write `$1::vector`: the type has no fixed number.
    public static func vector(_ value: [Float]?) -> Self {
        Self(TypeID.unspecified, value.map { vectorBytes($0, elementSize: 4) { bigEndian($0.bitPattern) } })
    }
    /// pgvector's `halfvec`, of at most 16,000 dimensions.
    ///
    /// Write `$1::halfvec`: the type has no fixed number.
    public static func halfvec(_ value: [Float]?) -> Self {
        Self(TypeID.unspecified, value.map { vectorBytes($0, elementSize: 2) { bigEndian(halfBits($0)) } })
    }
    /// NULL of the type that the statement implies.
    public static let null = Self(TypeID.unspecified, nil)
    /// A value of any type in that type's binary format; the statement implies the type.
    public static func binary(_ bytes: [UInt8]?) -> Self { Self(TypeID.unspecified, bytes) }
}

/// The bytes of an integer, most significant first.
private func bigEndian<Value: FixedWidthInteger>(_ value: Value) -> [UInt8] {
    withUnsafeBytes(of: value.bigEndian) { Array($0) }
}

/// An array of one dimension: dimensions, whether there are NULLs, type; length and lower bound; each with its length.
private func array<Element>(_ elements: [Element], of type: UInt32, _ encode: (Element) -> [UInt8]) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(20 + elements.count * 12)
    bytes += bigEndian(Int32(elements.isEmpty ? 0 : 1))
    bytes += bigEndian(Int32(0))
    bytes += bigEndian(type)
    if elements.isEmpty { return bytes }
    bytes += bigEndian(Int32(elements.count))
    bytes += bigEndian(Int32(1))
    for element in elements {
        let encoded = encode(element)
        bytes += bigEndian(Int32(encoded.count))
        bytes += encoded
    }
    return bytes
}

/// A vector: number of dimensions, two bytes that are not used, the elements.
private func vectorBytes(_ elements: [Float], elementSize: Int, _ encode: (Float) -> [UInt8]) -> [UInt8] {
    // One too many is refused by the server, which has a message for it.
    let dimensions = UInt16(clamping: elements.count)
    var bytes: [UInt8] = []
    bytes.reserveCapacity(4 + elements.count * elementSize)
    bytes += bigEndian(dimensions)
    bytes += [0, 0]
    for element in elements { bytes += encode(element) }
    return bytes
}

/// Microseconds since 2000-01-01 00:00 UTC, which PostgreSQL counts from.
private func microsecondsSince2000(_ date: Date) -> Int64 {
    let microseconds = ((date.timeIntervalSince1970 - secondsFrom1970To2000) * 1_000_000).rounded()
    return Int64(exactly: microseconds) ?? (microseconds < 0 ? .min : .max)
}

/// PostgreSQL counts from 2000-01-01 00:00 UTC.
let secondsFrom1970To2000 = 946_684_800.0

/// A single-precision number as the bits of a half-precision one, rounded to the nearest, ties to even (IEEE 754).
///
/// `Float16` does not exist on every platform that Gantry is built for, and is slow where the processor has no
/// instruction for it.
func halfBits(_ value: Float) -> UInt16 {
    let bits = value.bitPattern
    let sign = UInt16(truncatingIfNeeded: bits >> 16) & 0x8000
    let magnitude = bits & 0x7fff_ffff
    if magnitude > 0x7f80_0000 { return sign | 0x7e00 }  // not a number
    if magnitude >= 0x4780_0000 { return sign | 0x7c00 }  // 65536 and more: infinity
    if magnitude < 0x3880_0000 {
        // Below 2⁻¹⁴: a subnormal, counted in steps of 2⁻²⁴. Adding ½ shifts and rounds in one go.
        let rounded = Float(bitPattern: magnitude) + Float(0.5)
        return sign | UInt16(truncatingIfNeeded: rounded.bitPattern &- Float(0.5).bitPattern)
    }
    let tie = (magnitude >> 13) & 1
    // The exponent's bias is 127 there and 15 here. Rounding up may carry into the exponent, also to infinity.
    return sign | UInt16(truncatingIfNeeded: (magnitude &- 0x3800_0000 &+ 0xfff &+ tie) >> 13)
}

/// The number that the bits of a half-precision number stand for.
func floatFromHalf(_ bits: UInt16) -> Float {
    let sign: Float = bits & 0x8000 == 0 ? 1 : -1
    let exponent = Int(bits >> 10) & 0x1f
    let fraction = Float(bits & 0x3ff)
    switch exponent {
    case 0: return sign * fraction * 0x1p-24
    case 31: return fraction == 0 ? sign * .infinity : .nan
    default: return sign * Float(sign: .plus, exponent: exponent - 25, significand: 1024 + fraction)
    }
}
