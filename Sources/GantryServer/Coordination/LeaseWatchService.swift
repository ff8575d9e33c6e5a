import CoordinationTools
import ServiceLifecycle

/// Tells clients of expired claims until the server shuts down.
struct LeaseWatchService: Service {
    let watch: LeaseWatch

    func run() async throws {
        await cancelWhenGracefulShutdown { await self.watch.run() }
    }
}
