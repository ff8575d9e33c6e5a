import JSON
import Testing

@Suite("JSON parser")
struct JSONParserTests {
    @Test(
        "Mistakes are named, with the offset of the byte",
        arguments: [
            ("", JSONError.Code.unexpectedEnd, 0),
            ("  ", .unexpectedEnd, 2),
            ("[1, 2", .unexpectedEnd, 5),
            ("[1 2]", .unexpectedByte, 3),
            ("{\"a\" 1}", .unexpectedByte, 5),
            ("{a: 1}", .unexpectedByte, 1),
            ("tru", .unexpectedEnd, 3),
            ("trux", .unexpectedByte, 3),
            ("1 2", .trailingBytes, 2),
            ("\u{FEFF}1", .byteOrderMark, 0),
            ("01", .invalidNumber, 1),
            ("[-]", .invalidNumber, 1),
            ("1.e3", .invalidNumber, 0),
            (#"["\x"]"#, .invalidEscape, 2),
            (#""\u12g4""#, .invalidEscape, 1),
            ("\"a\nb\"", .controlCharacter, 2),
            ("\"12345678\u{1}\"", .controlCharacter, 9),
            (#""\ud800""#, .loneSurrogate, 1),
            (#""\udc00""#, .loneSurrogate, 1),
            (#""\ud800\ud800""#, .loneSurrogate, 1),
            (#""\ud83d\n""#, .loneSurrogate, 1),
            (#""abc\"#, .unexpectedEnd, 5),
        ]
    )
    func mistakes(text: String, code: JSONError.Code, offset: Int) {
        let error = #expect(throws: JSONError.self) { try JSONValue(parsing: text) }
        #expect(error?.code == code)
        #expect(error?.offset == offset)
    }

    @Test(
        "Invalid UTF-8 is refused at its first byte",
        arguments: [
            [0xFF], [0xC0, 0x80], [0xC3], [0xE0, 0x80, 0x80], [0xED, 0xA0, 0x80], [0xE2, 0x82],
            [0xF0, 0x80, 0x80, 0x80],
            [0xF4, 0x90, 0x80, 0x80], [0xF5, 0x80, 0x80, 0x80], [0x80],
        ] as [[UInt8]]
    )
    func invalidUTF8(bytes: [UInt8]) {
        for (prefix, suffix) in [("\"", "\""), ("\"12345678é", "x\""), ("\"\\n", "\""), ("\"", "\\u0041 and more\"")] {
            let text = Array(prefix.utf8) + bytes + Array(suffix.utf8)
            let error = #expect(throws: JSONError.self) { try JSONValue(parsing: text) }
            #expect(error?.code == .invalidUTF8)
            #expect(error?.offset == prefix.utf8.count)
        }
    }

    @Test("Strings of every length keep quotes, escapes and letters of all scripts", arguments: 0..<40)
    func strings(length: Int) throws {
        let plain = String(repeating: "a", count: length)
        for special in ["", "\"", "\\", "\u{0}", "\u{1F}", "\n", "/", "é", "€", "😀", "\u{7F}", "e\u{301}"] {
            for text in [plain + special, special + plain, plain + special + plain + special] {
                let parsed = try JSONValue(parsing: JSONValue.string(text).serialized())
                #expect(parsed == .string(text))
            }
        }
    }

    @Test("All escapes are decoded")
    func escapes() throws {
        let value = try JSONValue(parsing: #""\"\\\/\b\f\n\r\t\u0041\u00e9\u20AC\ud83d\uDE00 end""#)
        #expect(value == "\"\\/\u{8}\u{C}\n\r\tAé€😀 end")
    }

    @Test("Nesting is bounded")
    func depth() throws {
        let limits = JSONLimits(maximumDepth: 3)
        #expect(try JSONValue(parsing: #"[{"a":[1]}]"#, limits: limits)[0]?["a"]?[0] == 1)
        let error = #expect(throws: JSONError.self) { try JSONValue(parsing: #"[{"a":[[]]}]"#, limits: limits) }
        #expect(error?.code == .tooDeep)
        #expect(error?.offset == 7)
        #expect(throws: JSONError.self) { try JSONValue(parsing: String(repeating: "[", count: 100_000)) }
        #expect(JSONLimits(maximumDepth: 1 << 30).maximumDepth == JSONLimits.greatestDepth)
        let deepest = String(repeating: "[", count: 1024) + String(repeating: "]", count: 1024)
        #expect(try JSONValue(parsing: deepest, limits: JSONLimits(maximumDepth: 1024)).serializedString() == deepest)
    }

    @Test("Size is bounded")
    func size() throws {
        let limits = JSONLimits(maximumBytes: 4)
        #expect(try JSONValue(parsing: "1234", limits: limits) == 1234)
        let error = #expect(throws: JSONError.self) { try JSONValue(parsing: "12345", limits: limits) }
        #expect(error?.code == .tooLarge)
    }

    @Test("Of equal keys the last wins, or the text is refused", arguments: [2, 40])
    func duplicateKeys(count: Int) throws {
        let members = (0..<count).map { "\"k\($0)\": \($0)" }.joined(separator: ",")
        let text = "{\(members), \"k1\": true}"
        let value = try JSONValue(parsing: text)
        #expect(value["k1"] == true)
        #expect(value.objectValue?.count == count)
        #expect(value.objectValue?.map(\.key) == (0..<count).map { "k\($0)" })
        let error = #expect(throws: JSONError.self) {
            try JSONValue(parsing: text, limits: JSONLimits(duplicateKeys: .reject))
        }
        #expect(error?.code == .duplicateKey)
    }

    @Test("Keys that only look alike stay apart")
    func canonicallyEquivalentKeys() throws {
        let value = try JSONValue(parsing: #"{"\u00e9": 1, "e\u0301": 2}"#, limits: JSONLimits(duplicateKeys: .reject))
        #expect(value["\u{E9}"] == 1)
        #expect(value["e\u{301}"] == 2)
        #expect(JSONValue.string("\u{E9}") != .string("e\u{301}"))
    }

    @Test("A hundred thousand keys take no time worth speaking of")
    func manyKeys() throws {
        let text = "{" + (0..<100_000).map { "\"key-\($0)\":\($0)" }.joined(separator: ",") + "}"
        let value = try JSONValue(parsing: text)
        let object = try #require(value.objectValue)
        // With a linear search, this would compare keys five thousand million times.
        for index in 0..<100_000 { #expect(object["key-\(index)"] == .integer(index)) }
        #expect(value.serializedString() == text)
    }
}
