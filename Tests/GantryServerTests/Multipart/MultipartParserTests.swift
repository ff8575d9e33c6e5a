import Testing

@testable import GantryServer

@Suite("A multipart parser")
struct MultipartParserTests {
    /// A form with a field, a file with line ends and look-alike delimiters in it, and an empty file.
    private static let form = [
        "ignored preamble",
        "--XX",
        "Content-Disposition: form-data; name=\"note\"",
        "",
        "hello",
        "--XX  ",
        "content-type: Text/Markdown; charset=utf-8",
        "Content-Disposition: form-data; name=\"files\"; filename=\"dir/a;b \\\"c\\\".md\"",
        "",
        "line\r\n--X\r\r\n-\r\nend\r\n",
        "--XX",
        "Content-Disposition: form-data; name=files; filename=empty.txt",
        "",
        "",
        "--XX--",
        "ignored epilogue",
    ].joined(separator: "\r\n")

    private struct Part: Equatable {
        var headers: MultipartPart
        var body: String
    }

    private func parts(of events: [MultipartParser.Event]) throws -> [Part] {
        var parts: [Part] = []
        var open: (MultipartPart, [UInt8])?
        for event in events {
            switch event {
            case .partBegan(let part): open = (part, [])
            case .body(let bytes): open?.1 += bytes
            case .partEnded:
                let (headers, body) = try #require(open)
                parts.append(Part(headers: headers, body: String(decoding: body, as: UTF8.self)))
                open = nil
            }
        }
        #expect(open == nil)
        return parts
    }

    private func parse(_ text: String, pieces: Int = .max, limits: MultipartParser.Limits = .init()) throws -> [Part] {
        var parser = MultipartParser(boundary: "XX", limits: limits)
        var events: [MultipartParser.Event] = []
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            events += try parser.consume(rest.prefix(pieces))
            rest = rest.dropFirst(pieces)
        }
        try parser.finish()
        return try self.parts(of: events)
    }

    @Test("gives the same parts however the body is cut", arguments: [1, 2, 3, 5, 7, 64, .max])
    func pieces(size: Int) throws {
        let parts = try self.parse(Self.form, pieces: size)
        #expect(
            parts == [
                Part(headers: MultipartPart(name: "note"), body: "hello"),
                Part(
                    headers: MultipartPart(name: "files", filename: "a;b \"c\".md", mediaType: "text/markdown"),
                    body: "line\r\n--X\r\r\n-\r\nend\r\n"
                ),
                Part(headers: MultipartPart(name: "files", filename: "empty.txt"), body: ""),
            ]
        )
    }

    @Test("doesn't hold a large part back")
    func streaming() throws {
        var parser = MultipartParser(boundary: "XX")
        _ = try parser.consume(Array("--XX\r\nContent-Disposition: form-data; name=a\r\n\r\n".utf8))
        for _ in 0..<100 {
            let events = try parser.consume([UInt8](repeating: 7, count: 10_000))
            let given = events.reduce(0) { if case .body(let bytes) = $1 { $0 + bytes.count } else { $0 } }
            #expect(given >= 10_000 - 6)
        }
    }

    @Test("accepts a form without parts")
    func empty() throws {
        #expect(try self.parse("--XX--\r\n").isEmpty)
    }

    @Test(
        "refuses what isn't a form",
        arguments: [
            ("", MultipartError.Code.incomplete),
            ("nothing", .incomplete),
            ("--XX\r\nContent-Disposition: form-data; name=a\r\n\r\nbody", .incomplete),
            ("--XX\r\nContent-Disposition: form-data; name=a\r\n\r\nbody\r\n--XX", .incomplete),
            ("--XXrest\r\n", .malformed),
            ("--XX\r\n\r\nbody\r\n--XX--", .malformed),
            ("--XX\r\nno colon\r\n\r\n\r\n--XX--", .malformed),
            ("--XX\r\nContent-Disposition: attachment; name=a\r\n\r\n\r\n--XX--", .malformed),
            ("--XX\r\nContent-Disposition: form-data\r\n\r\n\r\n--XX--", .malformed),
            ("--XX\r\nContent-Disposition: form-data; name=a; filename=\"..\"\r\n\r\n\r\n--XX--", .malformed),
            ("--XX\r\nContent-Disposition: form-data; name=a; filename=\"a%0Ab\"\r\n\r\n\r\n--XX--", .malformed),
        ]
    )
    func malformed(text: String, code: MultipartError.Code) {
        for size in [1, Int.max] {
            let error = #expect(throws: MultipartError.self) { try self.parse(text, pieces: size) }
            #expect(error?.code == code)
        }
    }

    @Test("limits the headers of a part and the number of parts", arguments: [1, .max])
    func limits(size: Int) {
        let headers =
            "--XX\r\nContent-Disposition: form-data; name=\(String(repeating: "a", count: 9000))\r\n\r\n\r\n--XX--"
        #expect(throws: MultipartError.self) { try self.parse(headers, pieces: size) }
        let error = #expect(throws: MultipartError.self) {
            try self.parse(Self.form, pieces: size, limits: .init(parts: 2))
        }
        #expect(error?.code == .tooLarge)
    }

    @Test("refuses headers that are not UTF-8")
    func encoding() {
        var parser = MultipartParser(boundary: "XX")
        let bytes = Array("--XX\r\nContent-Disposition: form-data; name=\"".utf8) + [0xFF] + Array("\"\r\n\r\n".utf8)
        #expect(throws: MultipartError.self) { try parser.consume(bytes) }
    }
}

@Suite("Header parameters")
struct HeaderParametersTests {
    @Test(
        "give the boundary of a form",
        arguments: [
            ("multipart/form-data; boundary=abc", "abc"),
            ("Multipart/Form-Data;charset=utf-8;BOUNDARY=\"a b;c\"", "a b;c"),
            ("multipart/form-data", nil),
            ("multipart/mixed; boundary=abc", nil),
            ("multipart/form-data; boundary=\"\"", nil),
            ("multipart/form-data; boundary=é", nil),
        ] as [(String, String?)]
    )
    func boundary(text: String, expected: String?) {
        #expect(HeaderParameters(text).multipartBoundary == expected)
    }

    @Test("unescape quotes but keep the backslashes of Windows paths")
    func quoting() {
        let value = HeaderParameters(#"form-data; a="x \"y\" \\ C:\dir"; b = plain ; a=second"#)
        #expect(value.value == "form-data")
        #expect(value.parameters == ["a": #"x "y" \ C:\dir"#, "b": "plain"])
    }
}
