import Glibc
import Synchronization

/// Turns the names of hosts into addresses.
///
/// libpq would do so itself, but with a call that blocks the thread of all connections.
enum HostLookup {
    /// Adds `hostaddr` to the parameters of a connection where `host` has names.
    ///
    /// The names stay: TLS checks the certificate against them.
    ///
    /// - Throws: ``PostgresError/Code/connectionFailed`` if a name is unknown or the deadline passes.
    static func resolve(
        _ parameters: [String: String],
        deadline: ContinuousClock.Instant
    ) async throws(PostgresError)
        -> [String: String]
    {
        guard let host = parameters["host"], parameters["hostaddr"] == nil else { return parameters }
        let names = host.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        guard names.contains(where: { !self.needsNoLookup($0) }) else { return parameters }
        // One port may stand for all hosts.
        let ports = (parameters["port"] ?? "").split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        guard ports.count == names.count || ports.count <= 1 else {
            throw PostgresError(.invalidConfiguration, "The URL of the database has not as many ports as hosts.")
        }
        guard let found = await self.addresses(of: names, deadline: deadline) else {
            throw PostgresError(.connectionFailed, "The name of the database server could not be looked up.")
        }
        var hosts: [String] = []
        var addresses: [String] = []
        var usedPorts: [String] = []
        for (index, name) in names.enumerated() {
            for address in found[index] {
                hosts.append(name)
                addresses.append(address)
                usedPorts.append(ports.count > 1 ? ports[index] : ports.first ?? "")
            }
        }
        var result = parameters
        result["host"] = hosts.joined(separator: ",")
        result["hostaddr"] = addresses.joined(separator: ",")
        result["port"] = usedPorts.joined(separator: ",")
        return result
    }

    /// Whether a host is a socket, the default, or an address already.
    private static func needsNoLookup(_ host: String) -> Bool {
        if host.isEmpty || host.hasPrefix("/") || host.hasPrefix("@") { return true }
        var address = in6_addr()
        return inet_pton(AF_INET, host, &address) == 1 || inet_pton(AF_INET6, host, &address) == 1
    }

    /// Looks names up on a thread of its own.
    ///
    /// - Returns: The addresses of each name, or `nil` if one is unknown or the deadline passes.
    private static func addresses(of names: [String], deadline: ContinuousClock.Instant) async -> [[String]]? {
        await withCheckedContinuation { continuation in
            let pending = Pending(continuation)
            let finish = { @Sendable in pending.finish($0) }
            let timer = PostgresEventLoop.shared.addTimer(at: deadline) { finish(nil) }
            let hasStarted = BlockingCalls.start {
                let found = names.map { self.needsNoLookup($0) ? [self.isAddress($0) ? $0 : ""] : self.lookUp($0) }
                PostgresEventLoop.shared.removeTimer(timer)
                finish(found.contains(where: \.isEmpty) ? nil : found)
            }
            if !hasStarted {
                PostgresEventLoop.shared.removeTimer(timer)
                finish(nil)
            }
        }
    }

    /// Somebody who waits for a lookup: the lookup or the deadline answers, whichever comes first.
    private final class Pending: Sendable {
        private let continuation: Mutex<CheckedContinuation<[[String]]?, Never>?>

        init(_ continuation: CheckedContinuation<[[String]]?, Never>) { self.continuation = Mutex(continuation) }

        func finish(_ addresses: [[String]]?) {
            let continuation = self.continuation.withLock { continuation in
                defer { continuation = nil }
                return continuation
            }
            continuation?.resume(returning: addresses)
        }
    }

    private static func isAddress(_ host: String) -> Bool {
        !host.isEmpty && !host.hasPrefix("/") && !host.hasPrefix("@")
    }

    /// At most eight addresses of a name, in the order of the system.
    private static func lookUp(_ name: String) -> [String] {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(name, nil, &hints, &list) == 0 else { return [] }
        defer { freeaddrinfo(list) }
        var addresses: [String] = []
        var next = list
        while let info = next, addresses.count < 8 {
            var text = [CChar](repeating: 0, count: Int(NI_MAXHOST))
            let result = getnameinfo(
                info.pointee.ai_addr,
                info.pointee.ai_addrlen,
                &text,
                socklen_t(text.count),
                nil,
                0,
                NI_NUMERICHOST
            )
            if result == 0 {
                addresses.append(String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self))
            }
            next = info.pointee.ai_next
        }
        return addresses
    }
}
