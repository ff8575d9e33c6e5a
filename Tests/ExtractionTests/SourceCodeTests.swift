import Knowledge
import Testing

@testable import Extraction

@Suite("Reading source code")
struct SourceCodeTests {
    /// The symbols of each block with the first line of its text.
    private static func outline(_ text: String, _ extensionName: String) -> [String] {
        SourceCodeScanner.scan(text, language: SourceLanguage(extensionName: extensionName)).blocks.map { block in
            let content = String(decoding: Array(text.utf8)[block.span], as: UTF8.self)
            let line = content.split(separator: "\n")[0].drop { $0 == " " || $0 == "\t" }
            return "\(block.symbols.joined(separator: ".")): \(line)"
        }
    }

    private static func imports(_ text: String, _ extensionName: String) -> [String] {
        SourceCodeScanner.scan(text, language: SourceLanguage(extensionName: extensionName)).imports
    }

    @Test("Swift: declarations, what stands above them, and what follows them")
    func swift() {
        let text = """
            import Foundation

            /// Keeps things.
            public final class Store: Sendable {
                private let items: [Int]

                /// Writes a thing.
                @discardableResult
                public func write(_ item: Int) -> Bool {
                    if item > 0 {

                        return true
                    }
                    return false
                }
            }

            extension Store: Equatable {}
            let top = 1
            """
        #expect(
            Self.outline(text, "swift") == [
                ": import Foundation", "Store: /// Keeps things.", "Store.write: /// Writes a thing.",
                "Store.write: return true", "Store: extension Store: Equatable {}", ": let top = 1",
            ]
        )
    }

    @Test(
        "Declarations of many languages",
        arguments: [
            ("py", "class A(B):\n    @cached\n    async def f(self):\n        pass\n\n    x = 1\n", "A", "A.f", "A"),
            ("java", "public class A {\n    int f(int a) throws E {\n        if (a) {\n", "A", "A.f", ""),
            ("ts", "export class A {\n  private async f(x: string): Promise<void> {\n", "A", "A.f", ""),
            ("rs", "impl<T> Show for Store<T> {\n    pub(crate) fn write(&self) {\n", "Store", "Store.write", ""),
            ("c", "struct a {\n  int b;\n};\n\nstatic int f(void) {\n  g();\n}\n", "a", "f", ""),
            ("rb", "module A\n  class B\n    def f\n", "A", "A.B", "A.B.f"),
            ("sql", "CREATE TABLE IF NOT EXISTS users (\n  id int\n);\n", "users", "", ""),
            ("sh", "set -e\nbuild() {\n  make\n}\n", "", "build", ""),
            ("toml", "[package]\nname = 1\n\n[tool.x]\na = 1\n", "package", "tool.x", ""),
        ]
    )
    func declarations(extensionName: String, text: String, first: String, second: String, third: String) {
        let found = SourceCodeScanner.scan(text, language: SourceLanguage(extensionName: extensionName)).blocks
        let expected = [first, second, third]
        for (block, symbols) in zip(found, expected) { #expect(block.symbols.joined(separator: ".") == symbols) }
        #expect(found.count >= expected.count { !$0.isEmpty })
    }

    @Test("Go: methods are named with their receiver")
    func go() {
        let text = "type Server struct {\n}\n\n// Serve serves.\nfunc (s *Server) Serve(a int) error {\n}\n"
        #expect(Self.outline(text, "go") == ["Server: type Server struct {", "Server.Serve: // Serve serves."])
    }

    @Test(
        "Imports",
        arguments: [
            (
                "swift", "public import Foundation\n@testable import Extraction\nimport struct A.B\n",
                [
                    "Foundation", "Extraction", "A.B",
                ]
            ),
            ("py", "import os, sys as s\nfrom a.b import c\nimported = 1\n", ["os", "sys", "a.b"]),
            ("go", "import (\n\t\"fmt\"\n\tx \"net/http\"\n)\nvar a = \"b\"\n", ["fmt", "net/http"]),
            ("rs", "use std::io::{self, Read};\npub use crate::a;\n", ["std::io", "crate::a"]),
            ("c", "#include <stdio.h>\n#include \"a/b.h\"\n", ["stdio.h", "a/b.h"]),
            ("ts", "import { a } from \"./a\";\nimport 'b';\nconst c = require('c');\n", ["./a", "b", "c"]),
            ("java", "import java.util.List;\nimport static a.B.c;\n", ["java.util.List", "a.B.c"]),
            ("rb", "require 'json'\nrequire_relative \"x\"\n", ["json", "x"]),
        ]
    )
    func imports(extensionName: String, text: String, expected: [String]) {
        #expect(Self.imports(text, extensionName) == expected)
    }

    @Test(
        "All of the text that isn't blank is in a block, once and in order",
        arguments: ["swift", "py", "c", "sql", "json"]
    )
    func nothingIsLost(extensionName: String) {
        let text = "// a\n@x\n\n  // b\nfunc f() {\n}\n\n\n}\n)\n# c\ndef g():\n\t1\nCREATE TABLE t (\n// end"
        let blocks = SourceCodeScanner.scan(text, language: SourceLanguage(extensionName: extensionName)).blocks
        for (first, second) in zip(blocks, blocks.dropFirst()) {
            #expect(first.span.upperBound <= second.span.lowerBound)
        }
        let bytes = Array(text.utf8)
        let kept = blocks.flatMap { bytes[$0.span] }.filter { ![0x20, 0x09, 0x0A].contains($0) }
        #expect(kept == bytes.filter { ![0x20, 0x09, 0x0A].contains($0) })
    }
}
