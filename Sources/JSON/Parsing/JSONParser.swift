/// Turns the bytes of a JSON text into a value, in one pass.
struct JSONParser: ~Copyable {
    private let bytes: UnsafeRawPointer
    private let count: Int
    private let limits: JSONLimits
    private var position = 0
    private var depth = 0
    private var elements = ValueStack<JSONValue>()
    private var members = ValueStack<JSONObject.Element>()
    /// A number for each key in `members`, by which most different keys are told apart.
    private var fingerprints = ValueStack<UInt64>()

    /// Parses a whole text.
    static func parse(_ buffer: UnsafeRawBufferPointer, limits: JSONLimits) throws(JSONError) -> JSONValue {
        guard buffer.count <= limits.maximumBytes else {
            throw JSONError(
                code: .tooLarge,
                message: "The text has \(buffer.count) bytes; at most \(limits.maximumBytes) are accepted.",
                offset: limits.maximumBytes
            )
        }
        guard let bytes = buffer.baseAddress, buffer.count > 0 else {
            throw JSONError(code: .unexpectedEnd, message: "The text is empty.", offset: 0)
        }
        var parser = JSONParser(bytes: bytes, count: buffer.count, limits: limits)
        return try parser.parseDocument()
    }

    private init(bytes: UnsafeRawPointer, count: Int, limits: JSONLimits) {
        self.bytes = bytes
        self.count = count
        self.limits = limits
    }

    private mutating func parseDocument() throws(JSONError) -> JSONValue {
        if self.count >= 3, self.byte(at: 0) == 0xEF, self.byte(at: 1) == 0xBB, self.byte(at: 2) == 0xBF {
            throw self.error(.byteOrderMark, "The text begins with a byte order mark; send it without one.")
        }
        self.skipWhitespace()
        let value = try self.parseValue()
        self.skipWhitespace()
        guard self.position == self.count else {
            throw self.error(.trailingBytes, "There is something behind the end of the value.")
        }
        return value
    }

    private mutating func parseValue() throws(JSONError) -> JSONValue {
        guard self.position < self.count else { throw self.endError() }
        switch self.byte(at: self.position) {
        case UInt8(ascii: "\""):
            return .string(try self.parseString())
        case UInt8(ascii: "{"):
            return .object(try self.parseObject())
        case UInt8(ascii: "["):
            return .array(try self.parseArray())
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
            return try self.parseNumber()
        case UInt8(ascii: "t"):
            try self.expect("true")
            return .bool(true)
        case UInt8(ascii: "f"):
            try self.expect("false")
            return .bool(false)
        case UInt8(ascii: "n"):
            try self.expect("null")
            return .null
        default:
            throw self.error(.unexpectedByte, "A value is expected here.")
        }
    }

    // MARK: Arrays and objects

    private mutating func parseArray() throws(JSONError) -> [JSONValue] {
        try self.enter()
        let start = self.elements.count
        self.skipWhitespace()
        if self.skip(UInt8(ascii: "]")) {
            self.depth &-= 1
            return []
        }
        while true {
            let element = try self.parseValue()
            self.elements.push(element)
            self.skipWhitespace()
            if self.skip(UInt8(ascii: ",")) {
                self.skipWhitespace()
                continue
            }
            guard self.skip(UInt8(ascii: "]")) else { throw self.unexpected("A comma or ']' is expected here.") }
            self.depth &-= 1
            return self.elements.popArray(from: start)
        }
    }

    private mutating func parseObject() throws(JSONError) -> JSONObject {
        let opening = self.position
        try self.enter()
        let start = self.members.count
        self.skipWhitespace()
        if self.skip(UInt8(ascii: "}")) {
            self.depth &-= 1
            return JSONObject()
        }
        while true {
            guard self.position < self.count, self.byte(at: self.position) == UInt8(ascii: "\"") else {
                throw self.unexpected("A key in quotes is expected here.")
            }
            let key = try self.parseString()
            self.skipWhitespace()
            guard self.skip(UInt8(ascii: ":")) else { throw self.unexpected("A colon is expected here.") }
            self.skipWhitespace()
            let value = try self.parseValue()
            self.fingerprints.push(Self.fingerprint(of: key))
            self.members.push((key: key, value: value))
            self.skipWhitespace()
            if self.skip(UInt8(ascii: ",")) {
                self.skipWhitespace()
                continue
            }
            guard self.skip(UInt8(ascii: "}")) else { throw self.unexpected("A comma or '}' is expected here.") }
            self.depth &-= 1
            return try self.popObject(from: start, opening: opening)
        }
    }

    private mutating func popObject(from start: Int, opening: Int) throws(JSONError) -> JSONObject {
        let members = self.members.popArray(from: start)
        let object = self.fingerprints.pop(from: start) { JSONObject(parsed: members, fingerprints: $0) }
        if let object { return object }
        guard self.limits.duplicateKeys == .lastWins else {
            throw JSONError(
                code: .duplicateKey,
                message: "The object that begins here has a key twice.",
                offset: opening
            )
        }
        return JSONObject(members)
    }

    /// The length and the last bytes of a key.
    @inline(__always)
    private static func fingerprint(of key: String) -> UInt64 {
        let fingerprint = key.utf8.withContiguousStorageIfAvailable { text in
            var fingerprint = UInt64(truncatingIfNeeded: text.count)
            var position = max(0, text.count - 4)
            while position < text.count {
                fingerprint = fingerprint << 8 | UInt64(text[position])
                position += 1
            }
            return fingerprint
        }
        return fingerprint ?? 0
    }

    private mutating func enter() throws(JSONError) {
        guard self.depth < self.limits.maximumDepth else {
            throw self.error(
                .tooDeep,
                "Arrays and objects are nested more than \(self.limits.maximumDepth) levels deep."
            )
        }
        self.depth &+= 1
        self.position &+= 1
    }

    // MARK: Numbers and words

    private mutating func parseNumber() throws(JSONError) -> JSONValue {
        let text = UnsafeRawBufferPointer(start: self.bytes, count: self.count).assumingMemoryBound(to: UInt8.self)
        guard let end = NumberLiteral.end(in: text, from: self.position) else {
            throw self.error(.invalidNumber, "This is not a number as JSON writes it.")
        }
        // What follows a number is checked by the caller, except for what would look like more of the same number.
        if end < self.count, Self.continuesNumber(text[end]) {
            throw JSONError(code: .invalidNumber, message: "This is not a number as JSON writes it.", offset: end)
        }
        let literal = UnsafeBufferPointer(rebasing: text[self.position..<end])
        self.position = end
        return NumberLiteral.value(of: literal)
    }

    private static func continuesNumber(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "+"), UInt8(ascii: "-"): true
        case UInt8(ascii: "e"), UInt8(ascii: "E"): true
        default: false
        }
    }

    private mutating func expect(_ word: StaticString) throws(JSONError) {
        for index in 0..<word.utf8CodeUnitCount {
            guard self.position < self.count else { throw self.endError() }
            guard self.byte(at: self.position) == word.utf8Start[index] else {
                throw self.error(.unexpectedByte, "A value is expected here; did it mean '\(word)'?")
            }
            self.position &+= 1
        }
    }

    // MARK: Strings

    /// Parses the string whose opening quote is the current byte.
    private mutating func parseString() throws(JSONError) -> String {
        let start = self.position &+ 1
        var nonASCII: UInt64 = 0
        let end = StringScan.endOfPlainText(self.bytes, from: start, to: self.count, nonASCII: &nonASCII)
        guard end < self.count, self.byte(at: end) == UInt8(ascii: "\"") else {
            return try self.parseEscapedString(from: start, firstSpecial: end, nonASCII: nonASCII)
        }
        self.position = end &+ 1
        let text = self.text(from: start, to: end)
        if !StringScan.foundNonASCII(nonASCII) { return String(decoding: text, as: UTF8.self) }
        guard let string = String(validating: text, as: UTF8.self) else { throw self.utf8Error(from: start, to: end) }
        return string
    }

    /// Parses a string that has escapes, or a mistake: first checks its escapes and finds its
    /// end, then decodes it.
    private mutating func parseEscapedString(
        from start: Int,
        firstSpecial: Int,
        nonASCII: UInt64
    ) throws(JSONError) -> String {
        var nonASCII = nonASCII
        var end = firstSpecial
        while true {
            self.position = end
            guard end < self.count else { throw self.endError() }
            switch self.byte(at: end) {
            case UInt8(ascii: "\""):
                self.position = end &+ 1
                guard let string = self.decode(from: start, to: end) else { throw self.utf8Error(from: start, to: end) }
                return string
            case UInt8(ascii: "\\"):
                if end &+ 1 < self.count, Self.shortEscape(self.byte(at: end &+ 1)) != nil {
                    self.position = end &+ 2
                } else {
                    try self.checkEscape()
                }
                end = StringScan.endOfPlainText(
                    self.bytes,
                    from: self.position,
                    to: self.count,
                    nonASCII: &nonASCII
                )
            default:
                throw self.error(.controlCharacter, "Control characters in strings have to be escaped.")
            }
        }
    }

    /// The byte that a backslash and a letter stand for, unless the letter is `u` or no escape at all.
    @inline(__always)
    private static func shortEscape(_ letter: UInt8) -> UInt8? {
        switch letter {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): letter
        case UInt8(ascii: "n"): 0x0A
        case UInt8(ascii: "t"): 0x09
        case UInt8(ascii: "r"): 0x0D
        case UInt8(ascii: "b"): 0x08
        case UInt8(ascii: "f"): 0x0C
        default: nil
        }
    }

    /// Checks the long escape at the current position, and moves behind it.
    private mutating func checkEscape() throws(JSONError) {
        guard self.position &+ 1 < self.count else {
            self.position = self.count
            throw self.endError()
        }
        switch self.byte(at: self.position &+ 1) {
        case UInt8(ascii: "u"):
            let unit = try self.checkedCodeUnit()
            if UTF16.isLeadSurrogate(unit) {
                let escape = self.position
                self.position &+= 6
                guard self.position &+ 1 < self.count, self.byte(at: self.position) == UInt8(ascii: "\\"),
                    self.byte(at: self.position &+ 1) == UInt8(ascii: "u"),
                    UTF16.isTrailSurrogate(try self.checkedCodeUnit())
                else {
                    self.position = escape
                    throw self.error(
                        .loneSurrogate,
                        "This escape is half of a surrogate pair, and the other half is missing."
                    )
                }
            } else if UTF16.isTrailSurrogate(unit) {
                throw self.error(
                    .loneSurrogate,
                    "This escape is half of a surrogate pair, and the other half is missing."
                )
            }
            self.position &+= 6
        default:
            throw self.error(.invalidEscape, "JSON has no such escape.")
        }
    }

    /// The code unit of the `\u` escape at the current position.
    private func checkedCodeUnit() throws(JSONError) -> UInt16 {
        guard self.position &+ 6 <= self.count else {
            throw JSONError(
                code: .unexpectedEnd,
                message: "The text ends in the middle of an escape.",
                offset: self.count
            )
        }
        guard let unit = Self.codeUnit(self.bytes, at: self.position &+ 2) else {
            throw self.error(.invalidEscape, "Four hexadecimal digits are expected behind '\\u'.")
        }
        return unit
    }

    private static func codeUnit(_ bytes: UnsafeRawPointer, at start: Int) -> UInt16? {
        var unit: UInt16 = 0
        for offset in start..<start &+ 4 {
            let byte = bytes.load(fromByteOffset: offset, as: UInt8.self)
            let digit: UInt8
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = byte - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = byte - UInt8(ascii: "a") + 10
            case UInt8(ascii: "A")...UInt8(ascii: "F"): digit = byte - UInt8(ascii: "A") + 10
            default: return nil
            }
            unit = unit << 4 | UInt16(digit)
        }
        return unit
    }

    /// Decodes text whose escapes have been checked already, or returns `nil` if it is not valid UTF-8.
    private func decode(from start: Int, to end: Int) -> String? {
        // The result is never longer than the text. Whole words are copied, up to seven bytes more than needed.
        withUnsafeTemporaryAllocation(byteCount: end - start + 8, alignment: 1) { buffer -> String? in
            guard let output = buffer.baseAddress else { return nil }
            var written = 0
            var position = start
            while position < end {
                if position + 8 <= end {
                    let word = self.bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self)
                    output.storeBytes(of: word, toByteOffset: written, as: UInt64.self)
                    let special = StringScan.specialBytes(in: UInt64(littleEndian: word))
                    let count = special == 0 ? 8 : special.trailingZeroBitCount >> 3
                    position &+= count
                    written &+= count
                    if special == 0 { continue }
                } else if self.byte(at: position) != UInt8(ascii: "\\") {
                    output.storeBytes(of: self.byte(at: position), toByteOffset: written, as: UInt8.self)
                    position += 1
                    written += 1
                    continue
                }
                if let byte = Self.shortEscape(self.byte(at: position + 1)) {
                    output.storeBytes(of: byte, toByteOffset: written, as: UInt8.self)
                    position &+= 2
                    written &+= 1
                    continue
                }
                let (scalar, length) = self.decodedCodeUnits(at: position)
                written += Self.encode(scalar, to: output + written)
                position += length
            }
            let text = UnsafeRawBufferPointer(start: output, count: written).assumingMemoryBound(to: UInt8.self)
            return String(validating: text, as: UTF8.self)
        }
    }

    /// The scalar that a `\u` escape, or two of them, stand for, and their length.
    private func decodedCodeUnits(at escape: Int) -> (scalar: UInt32, length: Int) {
        let unit = Self.codeUnit(self.bytes, at: escape + 2) ?? 0
        guard UTF16.isLeadSurrogate(unit), let trail = Self.codeUnit(self.bytes, at: escape + 8) else {
            return (UInt32(unit), 6)
        }
        return (0x10000 + (UInt32(unit & 0x3FF) << 10 | UInt32(trail & 0x3FF)), 12)
    }

    /// Writes a scalar as UTF-8.
    ///
    /// - Returns: How many bytes it has.
    private static func encode(_ scalar: UInt32, to output: UnsafeMutableRawPointer) -> Int {
        func store(_ value: UInt32, _ offset: Int) {
            output.storeBytes(of: UInt8(truncatingIfNeeded: value), toByteOffset: offset, as: UInt8.self)
        }
        switch scalar {
        case 0..<0x80:
            store(scalar, 0)
            return 1
        case 0x80..<0x800:
            store(0xC0 | scalar >> 6, 0)
            store(0x80 | scalar & 0x3F, 1)
            return 2
        case 0x800..<0x10000:
            store(0xE0 | scalar >> 12, 0)
            store(0x80 | scalar >> 6 & 0x3F, 1)
            store(0x80 | scalar & 0x3F, 2)
            return 3
        default:
            store(0xF0 | scalar >> 18, 0)
            store(0x80 | scalar >> 12 & 0x3F, 1)
            store(0x80 | scalar >> 6 & 0x3F, 2)
            store(0x80 | scalar & 0x3F, 3)
            return 4
        }
    }

    // MARK: Bytes

    @inline(__always)
    private func byte(at offset: Int) -> UInt8 { self.bytes.load(fromByteOffset: offset, as: UInt8.self) }

    private func text(from start: Int, to end: Int) -> UnsafeBufferPointer<UInt8> {
        UnsafeRawBufferPointer(start: self.bytes + start, count: end - start).assumingMemoryBound(to: UInt8.self)
    }

    @inline(__always)
    private mutating func skip(_ byte: UInt8) -> Bool {
        guard self.position < self.count, self.byte(at: self.position) == byte else { return false }
        self.position &+= 1
        return true
    }

    @inline(__always)
    private mutating func skipWhitespace() {
        while self.position < self.count {
            let byte = self.byte(at: self.position)
            // Most bytes here are above a space, so one comparison decides.
            guard byte <= 0x20, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 else { return }
            self.position &+= 1
        }
    }

    // MARK: Errors

    private func error(_ code: JSONError.Code, _ message: String) -> JSONError {
        JSONError(code: code, message: message, offset: self.position)
    }

    private func unexpected(_ message: String) -> JSONError {
        self.position < self.count ? self.error(.unexpectedByte, message) : self.endError()
    }

    private func endError() -> JSONError {
        JSONError(code: .unexpectedEnd, message: "The text ends in the middle of a value.", offset: self.count)
    }

    private func utf8Error(from start: Int, to end: Int) -> JSONError {
        let offset = StringScan.firstInvalidUTF8(self.bytes, from: start, to: end) ?? start
        return JSONError(code: .invalidUTF8, message: "The text is not valid UTF-8.", offset: offset)
    }
}
