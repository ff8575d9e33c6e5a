import Foundation
package import Testing

/// Compares texts with reviewed files in the folder `Snapshots` of a test target.
///
/// `UPDATE_SNAPSHOTS=1` writes them anew.
package enum Snapshot {
    package static func expect(
        _ text: String,
        named name: String,
        filePath: String = #filePath,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        var target = URL(filePath: filePath).deletingLastPathComponent()
        while target.deletingLastPathComponent().lastPathComponent != "Tests" { target.deleteLastPathComponent() }
        let url = target.appending(path: "Snapshots").appending(path: name)
        if ProcessInfo.processInfo.environment["UPDATE_SNAPSHOTS"] == "1" {
            try Data(text.utf8).write(to: url)
        }
        let expected = String(decoding: try Data(contentsOf: url), as: UTF8.self)
        #expect(text == expected, "\(name) changed.", sourceLocation: sourceLocation)
    }
}
