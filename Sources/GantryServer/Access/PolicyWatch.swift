import Access
import MCPServer
import ServiceLifecycle
import UnixSignals

/// Reads the policy again on SIGHUP, and tells clients that the list of tools may be another when the policy is.
struct PolicyWatch: Service {
    let access: AccessControl
    let server: MCPServer

    func run() async throws {
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                for await _ in self.access.policy.changes.cancelOnGracefulShutdown() {
                    await self.server.announce(.tools)
                }
            }
            group.addTask {
                for await _ in await UnixSignalsSequence(trapping: .sighup).cancelOnGracefulShutdown() {
                    self.access.policy.reload()
                }
            }
        }
    }
}
