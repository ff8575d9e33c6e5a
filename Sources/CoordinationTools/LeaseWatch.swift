public import Logging
public import MCPServer
public import SharedState
import Synchronization

/// Tells clients which claims have expired.
///
/// It sleeps until the next one does. Claims that expire sooner are heard of over the bus, from all replicas; once a
/// minute it looks for what the bus has lost. Each expired claim is taken by one replica, which tells it to all clients.
public struct LeaseWatch: Sendable {
    private static let topic = "work:claimed"
    /// How long it sleeps at most.
    private static let longestSleep = Duration.seconds(60)
    /// How long it waits after the store could not be asked.
    private static let pause = Duration.seconds(5)

    private enum Event {
        /// Something expires at that time, sooner than what was known of.
        case sleep(until: ContinuousClock.Instant)
        case due(ContinuousClock.Instant)
    }

    /// When something is done next, and the way to say it.
    private final class Alarm: Sendable {
        let events = AsyncStream<Event>.makeStream()
        private let time = Mutex<ContinuousClock.Instant?>(nil)

        /// Sets the time, unless it is set to an earlier one.
        func set(_ time: ContinuousClock.Instant) {
            let isSooner = self.time.withLock { present in
                guard present.map({ time < $0 }) ?? true else { return false }
                present = time
                return true
            }
            if isSooner { self.events.continuation.yield(.sleep(until: time)) }
        }

        /// Whether the time is the one that is set; then none is any more.
        func take(_ time: ContinuousClock.Instant) -> Bool {
            self.time.withLock { present in
                guard present == time else { return false }
                present = nil
                return true
            }
        }
    }

    private let leases: any LeaseStore
    private let bus: any EventBus
    private let server: MCPServer
    private let logger: Logger

    /// Creates the watch of a server.
    public init(stores: SharedStores, server: MCPServer, logger: Logger) {
        self.leases = stores.leases
        self.bus = stores.bus
        self.server = server
        self.logger = logger
    }

    /// Tells all replicas that something was claimed.
    static func announce(claimFor lifetime: Duration, on bus: any EventBus) async {
        // When it is lost, its expiry is noticed within a minute.
        try? await bus.publish(Array("\(lifetime.wholeMilliseconds)".utf8), to: Self.topic)
    }

    /// Watches until the task is cancelled.
    public func run() async {
        let alarm = Alarm()
        await withDiscardingTaskGroup { group in
            group.addTask { await self.listen(alarm) }
            alarm.set(.now)
            for await event in alarm.events.stream {
                switch event {
                case .sleep(let time):
                    group.addTask {
                        try? await Task.sleep(until: time, clock: .continuous)
                        alarm.events.continuation.yield(.due(time))
                    }
                case .due(let time):
                    guard alarm.take(time) else { continue }
                    alarm.set(.now + (await self.tell()))
                }
            }
            group.cancelAll()
        }
    }

    private func listen(_ alarm: Alarm) async {
        while !Task.isCancelled {
            if let claims = try? await self.bus.subscribe(to: Self.topic) {
                for await message in claims {
                    guard let lifetime = Int(String(decoding: message, as: UTF8.self)) else { continue }
                    // Somewhat later than the store's own clock says, so that it has expired for certain.
                    alarm.set(.now + .milliseconds(lifetime + 5))
                }
            }
            try? await Task.sleep(for: Self.pause)
        }
    }

    /// Tells what has expired.
    ///
    /// - Returns: How long until there may be more.
    private func tell() async -> Duration {
        do throws(SharedStateError) {
            let expired = try await self.leases.takeExpired()
            for name in expired.resources { await self.server.resourceUpdated(WorkName.uri(of: name)) }
            let next = expired.next ?? Self.longestSleep
            return min(max(next, .zero) + .milliseconds(5), Self.longestSleep)
        } catch {
            self.logger.info("expired claims unknown", metadata: ["error": "\(error.message)"])
            return Self.pause
        }
    }
}
