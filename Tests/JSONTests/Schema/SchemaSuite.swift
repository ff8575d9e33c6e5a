import Foundation
import JSON
import Testing

/// The JSON Schema organisation's test suite.
enum SchemaSuite {
    static let folder = "json-schema-test-suite/tests/draft2020-12"

    /// The documents that tests refer to, by the URIs under which a server would have them.
    static let remotes: Result<[String: JSONValue], any Error> = Result {
        var documents: [String: JSONValue] = [:]
        let root = SharedData.folder.appending(path: "json-schema-test-suite/remotes")
        guard let names = FileManager.default.enumerator(atPath: root.path) else {
            throw SharedData.Missing(path: root.path)
        }
        for case let name as String in names where name.hasSuffix(".json") {
            let bytes = try SharedData.bytes(of: root.appending(path: name))
            documents["http://localhost:1234/\(name)"] = try JSONValue(parsing: bytes)
        }
        return documents
    }

    /// How one test of the suite went.
    struct Outcome {
        var name: String
        var isPassed: Bool
        var reason: String
    }

    /// Runs all tests of a file.
    static func run(_ file: URL, assertsFormats: Bool = false) throws -> [Outcome] {
        var options = JSONSchema.Options()
        options.documents = try self.remotes.get()
        options.assertsFormats = assertsFormats
        var outcomes: [Outcome] = []
        let groups = try JSONValue(parsing: SharedData.bytes(of: file)).arrayValue ?? []
        for group in groups {
            let schema = Result { try JSONSchema(group["schema"] ?? .null, options: options) }
            for test in group["tests"]?.arrayValue ?? [] {
                let name = "\(group["description"]?.stringValue ?? ""): \(test["description"]?.stringValue ?? "")"
                let valid = try #require(test["valid"])
                let expected = valid == true
                let data = test["data"] ?? .null
                do {
                    let compiled = try schema.get()
                    let violations = try compiled.violations(in: data)
                    let isValid = try compiled.isValid(data)
                    let isPassed = violations.isEmpty == expected && isValid == expected
                    let found = violations.first?.description ?? "no violation"
                    outcomes.append(Outcome(name: name, isPassed: isPassed, reason: isPassed ? "" : found))
                } catch {
                    outcomes.append(Outcome(name: name, isPassed: false, reason: "\(error)"))
                }
            }
        }
        return outcomes
    }
}
