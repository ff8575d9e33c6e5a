import Crawling
import Extraction
import Foundation
import Knowledge
import Logging
import ServiceLifecycle
import SharedState

/// Reads sources again on their schedules, one at a time, and removes the documents whose files are gone.
///
/// Of several replicas one reads a source; the others leave it alone until the next time.
struct Recrawler: Service {
    let sources: [SourceSettings]
    let knowledge: KnowledgeBase
    let values: any KeyValueStore
    let logger: Logger

    func run() async throws {
        try? await cancelWhenGracefulShutdown { try await self.crawlForever() }
    }

    private func crawlForever() async throws {
        let clock = ContinuousClock()
        var due = self.sources.compactMap { source in source.recrawl.map { (source, $0, clock.now) } }
        while let next = due.indices.min(by: { due[$0].2 < due[$1].2 }) {
            let (source, interval, time) = due[next]
            try await clock.sleep(until: time)
            if await self.isOurTurn(source, interval) { try await self.crawl(source) }
            // Counted from the end, so that a source which takes long doesn't take all the time.
            due[next].2 = clock.now + interval
        }
        // Without sources there is nothing to do until the server ends.
        try? await gracefulShutdown()
    }

    /// Whether no replica has read the source in this interval.
    private func isOurTurn(_ source: SourceSettings, _ interval: Duration) async -> Bool {
        do {
            return try await self.values.compareAndSet(
                "knowledge:crawl:\(source.name)",
                from: nil,
                to: [1],
                lifetime: interval * 0.9
            )
        } catch {
            self.logger.warning("source not read again", metadata: ["source": "\(source.name)", "error": "\(error)"])
            return false
        }
    }

    /// Reads one source again.
    ///
    /// - Throws: `CancellationError` if the server ends meanwhile; other failures are logged, and the next time tries anew.
    func crawl(_ source: SourceSettings) async throws {
        guard let path = source.path else { return }
        do throws(KnowledgeError) {
            let crawler = FolderCrawler { FileExtractor.canRead(path: $0) }
            let files = try await crawler.crawl(path).files
            let report = try await self.knowledge.ingest(files: crawler.sources(files))
            let removed = try await self.removeVanished(below: path, present: Set(files.map(\.path)))
            self.logger.info(
                "source read again",
                metadata: [
                    "source": "\(source.name)", "added": "\(report.addedCount)", "updated": "\(report.updatedCount)",
                    "unchanged": "\(report.unchangedCount)", "removed": "\(report.removedCount + removed)",
                    "failed": "\(report.failedCount)",
                ]
            )
        } catch {
            if error.code == .cancelled { throw CancellationError() }
            self.logger.warning("source unreadable", metadata: ["source": "\(source.name)", "error": "\(error)"])
        }
    }

    /// Removes the documents whose files below a path are gone.
    ///
    /// An empty directory removes nothing: it is more likely a disk that isn't there than a source without any document.
    private func removeVanished(below path: String, present: Set<String>) async throws(KnowledgeError) -> Int {
        guard !present.isEmpty else { return 0 }
        var count = 0
        var cursor: String?
        repeat {
            let page = try await self.knowledge.documents(after: cursor, limit: 1000)
            for document in page {
                let file = document.file
                guard file == path || file.hasPrefix("\(path)/"), !present.contains(file),
                    !FileManager.default.fileExists(atPath: file)
                else { continue }
                if try await self.knowledge.delete(documentID: document.id) { count += 1 }
            }
            cursor = page.last?.id
        } while cursor != nil
        return count
    }
}
