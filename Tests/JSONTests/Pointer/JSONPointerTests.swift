import JSON
import Testing

@Suite("JSON pointers")
struct JSONPointerTests {
    static let document: JSONValue = [
        "foo": ["bar", "baz"], "": 0, "a/b": 1, "c%d": 2, "e^f": 3, "g|h": 4, "i\\j": 5, "k\"l": 6, " ": 7, "m~n": 8,
    ]

    @Test(
        "The examples of RFC 6901, section 5",
        arguments: [
            ("/foo", ["bar", "baz"]), ("/foo/0", "bar"), ("/", 0), ("/a~1b", 1), ("/c%d", 2), ("/e^f", 3), ("/g|h", 4),
            ("/i\\j", 5), ("/k\"l", 6), ("/ ", 7), ("/m~0n", 8),
        ] as [(String, JSONValue)]
    )
    func examples(text: String, value: JSONValue) throws {
        let pointer = try JSONPointer(parsing: text)
        #expect(Self.document.value(at: pointer) == value)
        #expect(pointer.description == text)
    }

    @Test("The empty pointer is the whole document")
    func whole() throws {
        #expect(Self.document.value(at: JSONPointer()) == Self.document)
        #expect(try JSONPointer(parsing: "") == JSONPointer())
    }

    @Test(
        "What is not there gives nothing",
        arguments: ["/foo/2", "/foo/-", "/foo/00", "/foo/01", "/foo/+1", "/x", "/foo/0/0", "/foo/"]
    )
    func missing(text: String) throws {
        #expect(Self.document.value(at: try JSONPointer(parsing: text)) == nil)
    }

    @Test("What is no pointer is refused", arguments: ["foo", "/~", "/~2", "/a~"])
    func invalid(text: String) {
        #expect(throws: JSONPointer.ParsingError.self) { try JSONPointer(parsing: text) }
    }

    @Test("Tokens are escaped when they are appended")
    func appending() {
        let pointer = JSONPointer().appending("a/b").appending(3).appending("~")
        #expect(pointer.description == "/a~1b/3/~0")
        #expect(pointer.tokens == ["a/b", "3", "~"])
    }
}
