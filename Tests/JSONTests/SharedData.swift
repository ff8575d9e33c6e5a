import Foundation

/// The test suites of other projects, which are kept beside the checkout rather than in it.
enum SharedData {
    struct Missing: Error, CustomStringConvertible {
        var path: String
        var description: String {
            "There are no test data at \(self.path). Put them there, or set GANTRY_SHARED_DATA to the folder that has them."
        }
    }

    static let folder: URL = {
        if let path = ProcessInfo.processInfo.environment["GANTRY_SHARED_DATA"] { return URL(filePath: path) }
        return URL(filePath: #filePath).appending(path: "../../../../shared/data").standardizedFileURL
    }()

    /// The files in a folder, sorted by name.
    static func files(in path: String) throws -> [URL] {
        let folder = self.folder.appending(path: path)
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: folder.path) else {
            throw Missing(path: folder.path)
        }
        return names.filter { $0.hasSuffix(".json") }.sorted().map { folder.appending(path: $0) }
    }

    static func bytes(of file: URL) throws -> [UInt8] {
        guard let data = try? Data(contentsOf: file) else { throw Missing(path: file.path) }
        return Array(data)
    }
}
