import Foundation
import KnowledgeSQLite

/// A directory for one test's database, removed when the test is over.
final class TemporaryStore {
    let directory: URL
    var path: String { self.directory.appendingPathComponent("knowledge.sqlite").path }

    init() throws {
        self.directory = FileManager.default.temporaryDirectory.appendingPathComponent("knowledge-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: self.directory, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: self.directory) }

    func open(_ limits: SQLiteKnowledgeStore.Limits = .init()) throws -> SQLiteKnowledgeStore {
        try SQLiteKnowledgeStore(path: self.path, limits: limits)
    }
}
