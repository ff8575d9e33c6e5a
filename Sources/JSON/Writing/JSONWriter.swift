/// Writes JSON values, and parts of them, as compact text in UTF-8.
public enum JSONWriter {
    /// Writes a string with its quotes, and with escapes where JSON requires them (RFC 8259, section 7).
    ///
    /// Only quotes, backslashes and control characters are escaped; all other text stays as it is.
    public static func writeString(_ string: String, to output: inout [UInt8]) {
        var string = string
        string.withUTF8 { text in
            output.append(UInt8(ascii: "\""))
            var position = 0
            while true {
                let next = Self.endOfPlainText(text, from: position)
                output.append(contentsOf: UnsafeBufferPointer(rebasing: text[position..<next]))
                if next == text.count { break }
                Self.writeEscape(text[next], to: &output)
                position = next + 1
            }
            output.append(UInt8(ascii: "\""))
        }
    }

    /// Writes a value without any white space.
    static func write(_ value: JSONValue, to output: inout [UInt8]) {
        switch value {
        case .null: output.append(contentsOf: "null".utf8)
        case .bool(let value): output.append(contentsOf: (value ? "true" : "false").utf8)
        case .integer(let number): self.write(number, to: &output)
        case .double(let number): self.write(number, to: &output)
        case .decimal(let number): output.append(contentsOf: number.literal.utf8)
        case .string(let string): self.writeString(string, to: &output)
        case .array(let values):
            output.append(UInt8(ascii: "["))
            var isFirst = true
            for value in values {
                if !isFirst { output.append(UInt8(ascii: ",")) }
                isFirst = false
                self.write(value, to: &output)
            }
            output.append(UInt8(ascii: "]"))
        case .object(let object):
            output.append(UInt8(ascii: "{"))
            var isFirst = true
            for (key, value) in object {
                if !isFirst { output.append(UInt8(ascii: ",")) }
                isFirst = false
                self.writeString(key, to: &output)
                output.append(UInt8(ascii: ":"))
                self.write(value, to: &output)
            }
            output.append(UInt8(ascii: "}"))
        }
    }

    /// Writes a value with one line for each element and member, indented by two spaces.
    static func writePretty(_ value: JSONValue, indentation: Int, to output: inout [UInt8]) {
        func newLine(_ indentation: Int) {
            output.append(UInt8(ascii: "\n"))
            output.append(contentsOf: repeatElement(UInt8(ascii: " "), count: 2 * indentation))
        }
        switch value {
        case .array(let values) where !values.isEmpty:
            output.append(UInt8(ascii: "["))
            for (index, value) in values.enumerated() {
                if index > 0 { output.append(UInt8(ascii: ",")) }
                newLine(indentation + 1)
                self.writePretty(value, indentation: indentation + 1, to: &output)
            }
            newLine(indentation)
            output.append(UInt8(ascii: "]"))
        case .object(let object) where !object.isEmpty:
            output.append(UInt8(ascii: "{"))
            for (index, member) in object.enumerated() {
                if index > 0 { output.append(UInt8(ascii: ",")) }
                newLine(indentation + 1)
                self.writeString(member.key, to: &output)
                output.append(contentsOf: ": ".utf8)
                self.writePretty(member.value, indentation: indentation + 1, to: &output)
            }
            newLine(indentation)
            output.append(UInt8(ascii: "}"))
        default:
            self.write(value, to: &output)
        }
    }

    // MARK: Numbers

    private static func write(_ number: Int, to output: inout [UInt8]) {
        // The longest is Int.min, with a sign and 19 digits.
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 20) { digits in
            var start = digits.count
            var rest = number.magnitude
            repeat {
                let (quotient, digit) = rest.quotientAndRemainder(dividingBy: 10)
                start -= 1
                digits.initializeElement(at: start, to: UInt8(ascii: "0") + UInt8(digit))
                rest = quotient
            } while rest > 0
            if number < 0 {
                start -= 1
                digits.initializeElement(at: start, to: UInt8(ascii: "-"))
            }
            output.append(contentsOf: UnsafeBufferPointer(rebasing: digits[start...]))
        }
    }

    private static func write(_ number: Double, to output: inout [UInt8]) {
        // The description is the shortest text that parses back to the same double, and always has a '.' or an 'e'.
        output.append(contentsOf: (number.isFinite ? number.description : "null").utf8)
    }

    // MARK: Strings

    private static func endOfPlainText(_ text: UnsafeBufferPointer<UInt8>, from start: Int) -> Int {
        guard let bytes = UnsafeRawPointer(text.baseAddress) else { return 0 }
        var ignored: UInt64 = 0
        return StringScan.endOfPlainText(bytes, from: start, to: text.count, nonASCII: &ignored)
    }

    private static func writeEscape(_ byte: UInt8, to output: inout [UInt8]) {
        output.append(UInt8(ascii: "\\"))
        switch byte {
        case 0x08: output.append(UInt8(ascii: "b"))
        case 0x09: output.append(UInt8(ascii: "t"))
        case 0x0A: output.append(UInt8(ascii: "n"))
        case 0x0C: output.append(UInt8(ascii: "f"))
        case 0x0D: output.append(UInt8(ascii: "r"))
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): output.append(byte)
        default:
            let digits: StaticString = "0123456789abcdef"
            output.append(contentsOf: "u00".utf8)
            output.append(digits.utf8Start[Int(byte >> 4)])
            output.append(digits.utf8Start[Int(byte & 0xF)])
        }
    }
}
