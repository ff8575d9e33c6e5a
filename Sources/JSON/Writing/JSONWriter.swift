/// Writes JSON values, and parts of them, as compact text in UTF-8.
///
/// Text is first written into a small buffer on the stack, without any checks but the one for room, and from there
/// appended to the output in larger pieces.
public struct JSONWriter {
    /// How much room the buffer on the stack has.
    ///
    /// More than this many bytes would not be taken from the stack.
    private static let capacity = 1024
    /// How many bytes eight bytes of a string become at most, each of them escaped, and the word that is copied at once.
    private static let largestWord = 8 * 6 + 8

    private let buffer: UnsafeMutableRawPointer
    private var count = 0
    private var output: [UInt8]

    private init(buffer: UnsafeMutableRawPointer, output: [UInt8]) {
        self.buffer = buffer
        self.output = output
    }

    /// Writes a string with its quotes, and with escapes where JSON requires them (RFC 8259, section 7).
    ///
    /// Only quotes, backslashes and control characters are escaped; all other text stays as it is.
    public static func writeString(_ string: String, to output: inout [UInt8]) {
        Self.withWriter(to: &output) { $0.write(string) }
    }

    /// Writes an object whose members come one after the other, without any white space.
    ///
    /// Nobody looks whether a name comes twice, as ``JSONObject`` does.
    ///
    /// - Parameters:
    ///   - output: Where the text is appended.
    ///   - members: Hands over each name and its value.
    public static func writeObject(
        to output: inout [UInt8],
        _ members: ((_ name: String, _ value: JSONValue) -> Void) -> Void
    ) {
        Self.withWriter(to: &output) { writer in
            writer.write(UInt8(ascii: "{"))
            var isFirst = true
            members { writer.writeMember($0, $1, &isFirst) }
            writer.write(UInt8(ascii: "}"))
        }
    }

    /// Writes a value without any white space.
    static func write(_ value: JSONValue, to output: inout [UInt8]) {
        Self.withWriter(to: &output) { $0.write(value) }
    }

    /// Writes a value with one line for each element and member, indented by two spaces.
    static func writePretty(_ value: JSONValue, to output: inout [UInt8]) {
        Self.withWriter(to: &output) { $0.writePretty(value, indentation: 0) }
    }

    private static func withWriter(to output: inout [UInt8], _ body: (inout JSONWriter) -> Void) {
        withUnsafeTemporaryAllocation(byteCount: Self.capacity, alignment: 8) { buffer in
            guard let base = buffer.baseAddress else { return }
            // The writer takes the array over and gives it back, so that it is never copied.
            var writer = JSONWriter(buffer: base, output: [])
            swap(&writer.output, &output)
            body(&writer)
            writer.flush()
            swap(&writer.output, &output)
        }
    }

    // MARK: Values

    private mutating func write(_ value: JSONValue) {
        switch value {
        case .null: self.write("null" as StaticString)
        case .bool(let value): self.write(value ? "true" : "false" as StaticString)
        case .integer(let number): self.write(number)
        case .double(let number): self.write(number)
        case .decimal(let number): self.writePlain(number.literal)
        case .string(let string): self.write(string)
        case .array(let values):
            self.write(UInt8(ascii: "["))
            var isFirst = true
            for value in values {
                if !isFirst { self.write(UInt8(ascii: ",")) }
                isFirst = false
                self.write(value)
            }
            self.write(UInt8(ascii: "]"))
        case .object(let object):
            self.write(UInt8(ascii: "{"))
            var isFirst = true
            for (key, value) in object.members { self.writeMember(key, value, &isFirst) }
            self.write(UInt8(ascii: "}"))
        }
    }

    private mutating func writeMember(_ name: String, _ value: JSONValue, _ isFirst: inout Bool) {
        if !isFirst { self.write(UInt8(ascii: ",")) }
        isFirst = false
        self.write(name)
        self.write(UInt8(ascii: ":"))
        self.write(value)
    }

    private mutating func writePretty(_ value: JSONValue, indentation: Int) {
        switch value {
        case .array(let values) where !values.isEmpty:
            self.write(UInt8(ascii: "["))
            for (index, value) in values.enumerated() {
                if index > 0 { self.write(UInt8(ascii: ",")) }
                self.writeNewLine(indentation + 1)
                self.writePretty(value, indentation: indentation + 1)
            }
            self.writeNewLine(indentation)
            self.write(UInt8(ascii: "]"))
        case .object(let object) where !object.isEmpty:
            self.write(UInt8(ascii: "{"))
            for (index, member) in object.enumerated() {
                if index > 0 { self.write(UInt8(ascii: ",")) }
                self.writeNewLine(indentation + 1)
                self.write(member.key)
                self.write(": " as StaticString)
                self.writePretty(member.value, indentation: indentation + 1)
            }
            self.writeNewLine(indentation)
            self.write(UInt8(ascii: "}"))
        default:
            self.write(value)
        }
    }

    private mutating func writeNewLine(_ indentation: Int) {
        self.write(UInt8(ascii: "\n"))
        for _ in 0..<indentation { self.write("  " as StaticString) }
    }

    // MARK: Numbers

    private mutating func write(_ number: Int) {
        // The longest is Int.min, with a sign and 19 digits. They are written from the end.
        self.makeRoom(20)
        var magnitude = number.magnitude
        var length = number < 0 ? 1 : 0
        var rest = magnitude
        repeat {
            length &+= 1
            rest /= 10
        } while rest > 0
        if number < 0 { self.store(UInt8(ascii: "-"), at: self.count) }
        var position = self.count &+ length
        self.count = position
        repeat {
            let (quotient, digit) = magnitude.quotientAndRemainder(dividingBy: 10)
            position &-= 1
            self.store(UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: digit), at: position)
            magnitude = quotient
        } while magnitude > 0
    }

    private mutating func write(_ number: Double) {
        // The description is the shortest text that parses back to the same double, and always has a '.' or an 'e'.
        if number.isFinite { self.writePlain(number.description) } else { self.write("null" as StaticString) }
    }

    /// Writes ASCII text of any length as it is.
    private mutating func writePlain(_ text: String) {
        for byte in text.utf8 { self.write(byte) }
    }

    // MARK: Strings

    private mutating func write(_ string: String) {
        var string = string
        string.withUTF8 { text in
            if text.count > Self.capacity { self.reserve(text.count) }
            self.write(UInt8(ascii: "\""))
            if let bytes = UnsafeRawPointer(text.baseAddress) { self.writeEscaped(bytes, text.count) }
            self.write(UInt8(ascii: "\""))
        }
    }

    /// Copies text eight bytes at a time, and escapes what has to be.
    private mutating func writeEscaped(_ text: UnsafeRawPointer, _ length: Int) {
        var position = 0
        while position &+ 8 <= length {
            self.makeRoom(Self.largestWord)
            let word = text.loadUnaligned(fromByteOffset: position, as: UInt64.self)
            (self.buffer + self.count).storeBytes(of: word, as: UInt64.self)
            let special = StringScan.specialBytes(in: UInt64(littleEndian: word))
            if special == 0 {
                position &+= 8
                self.count &+= 8
            } else {
                let plain = special.trailingZeroBitCount >> 3
                self.count &+= plain
                position &+= plain
                self.writeEscape(text.load(fromByteOffset: position, as: UInt8.self))
                position &+= 1
            }
        }
        self.makeRoom(Self.largestWord)
        while position < length {
            let byte = text.load(fromByteOffset: position, as: UInt8.self)
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") || byte < 0x20 {
                self.writeEscape(byte)
            } else {
                self.store(byte, at: self.count)
                self.count &+= 1
            }
            position &+= 1
        }
    }

    /// Writes an escape.
    ///
    /// There is room for it.
    @inline(__always)
    private mutating func writeEscape(_ byte: UInt8) {
        let letter: UInt8
        switch byte {
        case 0x08: letter = UInt8(ascii: "b")
        case 0x09: letter = UInt8(ascii: "t")
        case 0x0A: letter = UInt8(ascii: "n")
        case 0x0C: letter = UInt8(ascii: "f")
        case 0x0D: letter = UInt8(ascii: "r")
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): letter = byte
        default:
            self.write("\\u00" as StaticString)
            let digits: StaticString = "0123456789abcdef"
            self.write(digits.utf8Start[Int(byte >> 4)])
            self.write(digits.utf8Start[Int(byte & 0xF)])
            return
        }
        self.store(UInt8(ascii: "\\"), at: self.count)
        self.store(letter, at: self.count &+ 1)
        self.count &+= 2
    }

    // MARK: Bytes

    @inline(__always)
    private mutating func write(_ byte: UInt8) {
        self.makeRoom(1)
        self.store(byte, at: self.count)
        self.count &+= 1
    }

    private mutating func write(_ text: StaticString) {
        self.makeRoom(text.utf8CodeUnitCount)
        (self.buffer + self.count).copyMemory(from: text.utf8Start, byteCount: text.utf8CodeUnitCount)
        self.count &+= text.utf8CodeUnitCount
    }

    @inline(__always)
    private func store(_ byte: UInt8, at offset: Int) {
        self.buffer.storeBytes(of: byte, toByteOffset: offset, as: UInt8.self)
    }

    /// Makes room in the buffer for at most 64 bytes.
    @inline(__always)
    private mutating func makeRoom(_ count: Int) {
        if self.count &+ count > Self.capacity { self.flush() }
    }

    /// Makes room in the output for a long string, so that it does not have to grow again and again.
    private mutating func reserve(_ length: Int) {
        // A few escapes fit too. If there are more, the output grows in the usual way.
        let needed = self.output.count + self.count + length + length / 16 + 64
        let capacity = self.output.capacity
        if needed > capacity { self.output.reserveCapacity(max(needed, 2 * capacity)) }
    }

    @inline(never)
    private mutating func flush() {
        self.output.append(contentsOf: UnsafeRawBufferPointer(start: self.buffer, count: self.count))
        self.count = 0
    }
}
