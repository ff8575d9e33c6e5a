import JSON
import Knowledge

/// What became of one uploaded file.
struct UploadedFile {
    var name: String
    /// The strongest thing that happened to its documents.
    var status: String
    var documents = 0
    var chunks = 0
    var errors: [KnowledgeError] = []

    /// A file that wasn't ingested at all.
    init(name: String, errors: [KnowledgeError]) {
        self.name = name
        self.status = "failed"
        self.errors = errors
    }

    /// A file as the knowledge base reports on it.
    init(name: String, report: IngestReport) {
        self.name = name
        self.documents = report.addedCount + report.updatedCount + report.unchangedCount
        self.chunks = report.results.reduce(0) { $0 + $1.chunkCount }
        self.errors = report.results.compactMap { result in
            if case .failed(let error) = result.outcome { error } else { nil }
        }
        self.status =
            if report.addedCount > 0 {
                "added"
            } else if report.updatedCount > 0 {
                "updated"
            } else if report.unchangedCount > 0 {
                "unchanged"
            } else {
                "failed"
            }
    }

    var isFailed: Bool { self.status == "failed" }

    var json: JSONValue {
        [
            "name": .string(self.name),
            "status": .string(self.status),
            "documents": .integer(self.documents),
            "chunks": .integer(self.chunks),
            "errors": .array(
                self.errors.map { ["code": .string($0.code.description), "message": .string($0.message)] }
            ),
        ]
    }
}
