import Foundation
import Testing

@testable import Knowledge

@Suite("The outline of source code")
struct SourceOutlineTests {
    private static let rust = """
        use core::fmt;

        /// Runs two executors.
        #[derive(Debug)]
        pub struct DiffExecutor<A, B> {
            primary: A,
        }

        impl<A, B> DiffExecutor<A, B> {
            /// Creates one.
            pub fn new(primary: A) -> Self
            where
                A: Debug,
            {
                Self { primary }
            }
        }

        impl<A> fmt::Debug for Other<A> where A: Debug {
            fn fmt(&self) {}
        }
        """

    private static let python = """
        import re

        class Morse(Decoder[str]):
            @staticmethod
            def priority() -> float:
                return 0.05

            def decode(self, text):
                for line in text:
                    if line:
                        print(line)
                return None

        def helper(x):
            return x
        """

    private static let java = """
        package com.example;

        public class LinearTest extends Base implements Runnable {
            private static final int N = 3;

            @Test
            public void testFit() throws Exception {
                if (N > 2) {
                    run(N);
                }
            }

            public List<String> names(
                    int count) {
                return null;
            }
        }
        """

    private static let cpp = """
        #include <vector>
        namespace WasmEdge {

        class EXPORT_API Window final : public Base {
        public:
          explicit Window(int size);
        };

        Expect<int32_t> Window::body(const Frame &,
                                     uint32_t Id) {
          return Id;
        }
        } // namespace WasmEdge
        """

    private static let swift = """
        /// A server.
        public struct Server: Sendable {
            func start(on port: Int) async throws {
                let retry = 3
            }
        }

        extension Server {
            static func make() -> Server { Server() }
        }
        """

    private static let go = """
        package main

        type Pool struct {
            size int
        }

        func (p *Pool) Get(ctx context.Context) (*Conn, error) {
            return nil, nil
        }
        """

    private static func path(_ text: String, at line: String) -> [String] {
        guard let range = text.range(of: line) else { return ["no such line"] }
        let start = text[..<range.lowerBound].lastIndex(of: "\n").map { text.index(after: $0) } ?? text.startIndex
        return SourceOutline(text).path(at: text.utf8.distance(from: text.startIndex, to: start))
    }

    @Test(
        "A line knows the symbols that it stands in",
        arguments: [
            (rust, "primary: A,", ["DiffExecutor"]), (rust, "Self { primary }", ["DiffExecutor", "new"]),
            (rust, "impl<A, B>", []), (rust, "fn fmt", ["fmt::Debug for Other"]),
            (rust, "/// Creates one", ["DiffExecutor"]),
            (python, "return 0.05", ["Morse", "priority"]), (python, "print(line)", ["Morse", "decode"]),
            (python, "return None", ["Morse", "decode"]), (python, "def helper", []), (python, "return x", ["helper"]),
            (java, "private static final", ["LinearTest"]), (java, "run(N)", ["LinearTest", "testFit"]),
            (java, "return null", ["LinearTest", "names"]), (cpp, "explicit Window", ["Window"]),
            (cpp, "return Id", ["Window::body"]), (swift, "let retry", ["Server", "start"]),
            (swift, "static func", ["Server"]),
            (go, "return nil", ["Get"]), (go, "size int", ["Pool"]),
        ] as [(String, String, [String])]
    )
    func paths(text: String, line: String, path: [String]) {
        #expect(Self.path(text, at: line) == path)
    }

    @Test("The place of a line is the same from its indentation, and from the comments above it")
    func places() {
        let outline = SourceOutline(Self.rust)
        let comment = Self.rust.utf8.count - (Self.rust.components(separatedBy: "/// Creates one.")[1].utf8.count + 16)
        #expect(outline.path(at: comment) == ["DiffExecutor"])
        #expect(outline.path(at: comment - 4) == ["DiffExecutor"])
        #expect(outline.path(at: comment + 10) == ["DiffExecutor"])
        #expect(
            SourceOutline("void f() {\n  Foo::call(\n    1);\n  x = 2;\n}").path(at: 32) == ["f"],
            "A call is no definition"
        )
    }

    @Test("A file is known by its types, or by its functions if it has none")
    func names() {
        #expect(SourceOutline(Self.rust).names == ["DiffExecutor"])
        #expect(SourceOutline(Self.python).names == ["Morse"])
        #expect(SourceOutline("def a():\n    pass\ndef b():\n    pass\n").names == ["a", "b"])
    }

    @Test("A symbol begins at the comments and attributes above it")
    func beginnings() throws {
        let symbol = try #require(SourceOutline(Self.rust).symbols.first)
        let start = Self.rust.utf8.index(Self.rust.utf8.startIndex, offsetBy: symbol.offset)
        #expect(Self.rust[start...].hasPrefix("/// Runs two executors."))
    }

    @Test("Source code is told from prose", arguments: [rust, python, java, cpp, swift, go])
    func code(text: String) {
        #expect(SourceOutline.isLikely(text))
    }

    @Test(
        "Prose is no source code",
        arguments: [
            "", "One line.", "A class of problems that are hard.\nWe use them.\nFor all of us.\nThat is it.",
            (0..<50).map { "The structure of wing number \($0) was tested in a tunnel ." }.joined(separator: "\n"),
        ]
    )
    func prose(text: String) {
        #expect(!SourceOutline.isLikely(text))
    }

    @Test("Odd input ends and stays within its bounds")
    func odd() {
        let deep = (0..<200).map { String(repeating: " ", count: $0) + "class C\($0) {" }.joined(separator: "\n")
        let outline = SourceOutline(deep)
        #expect(outline.symbols.count == 200)
        #expect(outline.symbols.allSatisfy { $0.path.count <= 6 })
        _ = SourceOutline("class")
        _ = SourceOutline("impl<")
        _ = SourceOutline("func (")
        _ = SourceOutline(String(repeating: "(", count: 10_000))
        #expect(SourceOutline("class " + String(repeating: "x", count: 10_000) + " {").symbols.isEmpty)
    }

    @Test("Chunks of code begin at symbols, know what they stand in, and functions stay whole")
    func chunks() throws {
        let functions = (0..<12).map { index in
            "    fn work\(index)(&self) {\n"
                + (0..<6).map { "        self.step\(index)(\($0), \"a value\");\n" }.joined() + "    }\n"
        }
        let text = "pub struct Machine {\n    size: u32,\n}\n\nimpl Machine {\n\(functions.joined(separator: "\n"))}\n"
        let document = Document(
            id: "src/machine.rs",
            title: "src/machine.rs",
            text: text,
            blocks: Block.runs(in: text, kind: .code)
        )
        let chunks = try Chunker().chunks(of: document)
        #expect(chunks.count > 2)
        for chunk in chunks.dropFirst(2) {
            #expect(chunk.text.hasPrefix("fn work"), "A chunk begins within a function")
            #expect(chunk.headingPath == ["Machine"])
            #expect(chunk.context == "src/machine.rs > Machine")
        }
        #expect(chunks.allSatisfy { Array($0.text.utf8) == Array(Array(text.utf8)[$0.span]) })
    }

    @Test("Records that are parts of one source file know what they stand in")
    func parts() throws {
        let pieces = Self.python.split(separator: "\n\n", omittingEmptySubsequences: false).map { "\($0)\n\n" }
        let documents = Document.linked(
            pieces.enumerated().map { Document(id: "part\($0)", text: $1) },
            partsOf: pieces.map { _ in "morse.py" }
        )
        let contexts = try documents.map { try Chunker().chunks(of: $0).first?.context }
        #expect(contexts == ["Morse", "Morse", "Morse", "Morse"])
        let alone = Document.linked([Document(id: "a", text: Self.python)], partsOf: ["morse.py"])
        #expect(alone.first?.part == nil)
        let prose = Document.linked(
            [Document(id: "a", text: "One thing."), Document(id: "b", text: "Another thing.")],
            partsOf: ["notes", "notes"]
        )
        #expect(prose.allSatisfy { $0.part == nil })
    }

    @Test(
        "The name of a file says what its title doesn't",
        arguments: [
            ("https://docs.example/en/test-and-evaluate/eval-tool#cases", "Creating cases", "eval tool"),
            ("guides/eval-tool.md", "The eval tool", ""), ("cranfield-17", "", ""), ("a/184", "", ""),
            ("a/0f3c9d2e77ab", "", ""), ("src/client.swift", "src/client.swift", ""), ("", "", ""),
        ] as [(String, String, String)]
    )
    func fileNames(source: String, title: String, words: String) {
        #expect(FileName.words(of: source, besides: title) == words)
    }
}
