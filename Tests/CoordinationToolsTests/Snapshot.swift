import Foundation
import Testing

/// Compares texts with reviewed files in `Snapshots`.
///
/// `UPDATE_SNAPSHOTS=1` writes them anew.
enum Snapshot {
    static func expect(
        _ text: String,
        named name: String,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Snapshots")
        let url = folder.appending(path: name)
        if ProcessInfo.processInfo.environment["UPDATE_SNAPSHOTS"] == "1" {
            try Data(text.utf8).write(to: url)
        }
        let expected = String(decoding: try Data(contentsOf: url), as: UTF8.self)
        #expect(text == expected, "\(name) changed.", sourceLocation: sourceLocation)
    }
}
