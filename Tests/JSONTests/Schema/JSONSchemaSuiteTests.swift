import Foundation
import JSON
import Testing

@Suite("The JSON Schema test suite, draft 2020-12")
struct JSONSchemaSuiteTests {
    @Test("Every required test passes")
    func required() throws {
        let files = try SharedData.files(in: SchemaSuite.folder)
        var count = 0
        for file in files {
            for outcome in try SchemaSuite.run(file) {
                count += 1
                #expect(outcome.isPassed, "\(file.lastPathComponent): \(outcome.name): \(outcome.reason)")
            }
        }
        #expect(files.count >= 46)
        #expect(count >= 1200)
    }
}
