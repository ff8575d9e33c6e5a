import Foundation
import JSON
import Testing

@Suite("The JSON parsing test suite")
struct JSONParsingSuiteTests {
    private static func files(_ prefix: String) throws -> [URL] {
        let files = try SharedData.files(in: "json-test-suite/test_parsing").filter {
            $0.lastPathComponent.hasPrefix(prefix)
        }
        try #require(files.count > 20)
        return files
    }

    @Test("What must be accepted is, and survives writing and parsing again")
    func accepted() throws {
        for file in try Self.files("y_") {
            let value = try JSONValue(parsing: SharedData.bytes(of: file))
            let text = value.serialized()
            let again = try JSONValue(parsing: text)
            #expect(again == value, "\(file.lastPathComponent)")
            #expect(again.serialized() == text, "\(file.lastPathComponent)")
            #expect(try JSONValue(parsing: value.serializedString(pretty: true)) == value)
        }
    }

    @Test("What must be refused is, with an offset inside of the text")
    func refused() throws {
        for file in try Self.files("n_") {
            let bytes = try SharedData.bytes(of: file)
            do {
                let value = try JSONValue(parsing: bytes)
                Issue.record("\(file.lastPathComponent) was accepted as \(value)")
            } catch {
                #expect((0...bytes.count).contains(error.offset), "\(file.lastPathComponent)")
            }
        }
    }

    @Test("What is up to the parser is accepted or refused as this one promises")
    func implementationDefined() throws {
        // Everything that is not valid Unicode is refused; numbers of any size are kept.
        for file in try Self.files("i_") {
            let name = file.lastPathComponent
            let value = try? JSONValue(parsing: SharedData.bytes(of: file), limits: JSONLimits(maximumDepth: 600))
            let isAccepted = name.hasPrefix("i_number") || name.hasPrefix("i_structure_500")
            #expect((value != nil) == isAccepted, "\(name)")
        }
    }
}
