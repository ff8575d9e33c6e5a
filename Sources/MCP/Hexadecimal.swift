/// Bytes as hexadecimal digits (RFC 4648, section 8), in lower case.
public enum Hexadecimal {
    /// Writes bytes as text, two digits for each.
    public static func encode(_ bytes: [UInt8]) -> String {
        String(unsafeUninitializedCapacity: bytes.count * 2) { text in
            for (index, byte) in bytes.enumerated() {
                text[index * 2] = self.digit(byte >> 4)
                text[index * 2 + 1] = self.digit(byte & 15)
            }
            return bytes.count * 2
        }
    }

    private static func digit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
    }
}
