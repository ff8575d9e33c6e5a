import Foundation
import JSON
import Testing

@Suite("The optional part of the JSON Schema test suite")
struct OptionalSchemaSuiteTests {
    private static let documentation = URL(filePath: #filePath).appending(
        path: "../../../../docs/json-schema-optional.md"
    )

    /// The rows of the documentation's tables that have a number of columns.
    private static func rows(columns: Int) throws -> [[String]] {
        let text = try String(contentsOf: self.documentation.standardizedFileURL, encoding: .utf8)
        return text.split(separator: "\n").filter { $0.hasPrefix("| `") }
            .map { $0.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) } }
            .filter { $0.count == columns + 1 || $0.count == columns }
    }

    @Test("Just those tests fail that docs/json-schema-optional.md gives a reason for")
    func documented() throws {
        let counts = try Self.rows(columns: 3).filter { Int($0[1]) != nil }
        let failures = try Self.rows(columns: 3).filter { Int($0[1]) == nil }
        var names: Set<String> = []
        for folder in ["", "format/"] {
            for file in try SharedData.files(in: SchemaSuite.folder + "/optional/" + folder) {
                let name = "`\(folder)\(file.lastPathComponent)`"
                names.insert(name)
                let outcomes = try SchemaSuite.run(file, assertsFormats: !folder.isEmpty)
                let passed = outcomes.filter(\.isPassed).count
                let row = counts.first { $0[0] == name }
                #expect(row == [name, "\(passed)", "\(outcomes.count)"])
                let documented = Set(failures.filter { $0[0] == name }.map { $0[1] })
                for outcome in outcomes {
                    #expect(
                        outcome.isPassed != documented.contains(outcome.name),
                        "\(name): \(outcome.name): \(outcome.reason)"
                    )
                }
            }
        }
        #expect(names == Set(counts.map { $0[0] }))
        #expect(names.count >= 34)
    }
}
