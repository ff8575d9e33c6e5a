import Knowledge
import ServiceLifecycle

/// Ingests what is in the queue for as long as the server runs.
///
/// Told to stop, it gives what it is working on back to the queue; the next start goes on with it.
struct IngestService: Service {
    let workers: IngestWorkers

    func run() async throws {
        await cancelWhenGracefulShutdown { await self.workers.run() }
    }
}
