public import SharedState

/// A log in Redis, which every replica writes to and reads from.
///
/// A stream of events is a stream of Redis, whose entries have the numbers of the events, and a hash with the last number,
/// the size, and whether it has ended.
public struct RedisEventLog: EventLog {
    /// How much of a stream is kept.
    public struct Limits: Sendable {
        /// The most events of one stream.
        public var eventsPerStream = 1024
        /// The most bytes of one stream; its newest event is kept whatever its size.
        public var bytesPerStream = 4 << 20

        /// The defaults.
        public init() {}
    }

    private let client: RedisClient
    private let limits: Limits

    /// Creates a log on a client.
    public init(client: RedisClient, limits: Limits = Limits()) {
        self.client = client
        self.limits = limits
    }

    private static let append = RedisScript(
        """
        local number = redis.call('HINCRBY', KEYS[1], 'last', 1)
        redis.call('XADD', KEYS[2], number .. '-0', 'e', ARGV[1])
        local bytes = redis.call('HINCRBY', KEYS[1], 'bytes', #ARGV[1])
        redis.call('HSET', KEYS[1], 'ended', ARGV[2])
        local length = redis.call('XLEN', KEYS[2])
        while length > 1 and (length > tonumber(ARGV[4]) or bytes > tonumber(ARGV[5])) do
            local oldest = redis.call('XRANGE', KEYS[2], '-', '+', 'COUNT', 1)[1]
            redis.call('XDEL', KEYS[2], oldest[1])
            bytes = redis.call('HINCRBY', KEYS[1], 'bytes', -#oldest[2][2])
            length = length - 1
        end
        redis.call('PEXPIRE', KEYS[1], ARGV[3])
        redis.call('PEXPIRE', KEYS[2], ARGV[3])
        redis.call('PUBLISH', KEYS[3], '')
        return number
        """
    )

    private static let extend = RedisScript(
        """
        redis.call('PEXPIRE', KEYS[1], ARGV[1])
        redis.call('PEXPIRE', KEYS[2], ARGV[1])
        return 1
        """
    )

    private static let read = RedisScript(
        """
        local state = redis.call('HMGET', KEYS[1], 'last', 'ended')
        if not state[1] then return false end
        return {state[1], state[2], redis.call('XRANGE', KEYS[2], '(' .. ARGV[1] .. '-0', '+')}
        """
    )

    private func keys(_ stream: String) -> [String] {
        // Braces keep the keys of a stream on one node of a cluster.
        ["state", "events", "written"].map { self.client.name("log", "{\(stream)}", $0) }
    }

    public func append(
        _ event: [UInt8],
        to stream: String,
        isLast: Bool,
        lifetime: Duration
    ) async throws(SharedStateError) -> Int {
        let answer = try await self.client.run(
            Self.append,
            keys: self.keys(stream),
            event,
            [UInt8](redis: isLast ? 1 : 0),
            lifetime.redisMilliseconds,
            [UInt8](redis: self.limits.eventsPerStream),
            [UInt8](redis: self.limits.bytesPerStream)
        )
        guard let number = answer.integer else {
            throw SharedStateError.strangeAnswer
        }
        return Int(number)
    }

    public func extend(_ stream: String, lifetime: Duration) async throws(SharedStateError) {
        _ = try await self.client.run(
            Self.extend,
            keys: Array(self.keys(stream).prefix(2)),
            lifetime.redisMilliseconds
        )
    }

    public func events(
        in stream: String,
        after sequence: Int,
        waitingFor wait: Duration
    ) async throws(SharedStateError) -> LoggedEvents? {
        guard let found = try await self.read(stream, after: sequence) else { return nil }
        if !found.events.isEmpty || found.isLast || wait <= .zero { return found }
        let written = try await self.client.listen(to: self.keys(stream)[2])
        // It may have been written to before the server knew that somebody listens.
        let newer = try await self.read(stream, after: sequence)
        guard let newer, newer.events.isEmpty, !newer.isLast else { return newer }
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                var messages = written.makeAsyncIterator()
                _ = await messages.next()
            }
            group.addTask { try? await Task.sleep(for: wait) }
            await group.next()
            group.cancelAll()
        }
        return try await self.read(stream, after: sequence)
    }

    private func read(_ stream: String, after sequence: Int) async throws(SharedStateError) -> LoggedEvents? {
        let answer = try await self.client.run(
            Self.read,
            keys: Array(self.keys(stream).prefix(2)),
            [UInt8](redis: max(0, sequence))
        )
        guard let state = answer.array else { return nil }
        guard state.count == 3, let last = state[0].integer, let entries = state[2].array else {
            throw SharedStateError.strangeAnswer
        }
        let events = entries.compactMap { entry -> (sequence: Int, event: [UInt8])? in
            guard let parts = entry.array, parts.count == 2, let fields = parts[1].array, fields.count == 2,
                let number = parts[0].text?.split(separator: "-").first.flatMap({ Int($0) }),
                let event = fields[1].bytes
            else { return nil }
            return (number, event)
        }
        let first = events.first?.sequence ?? Int(last) + 1
        return LoggedEvents(events: events, isLast: state[1].integer == 1, hasGap: first > sequence + 1)
    }
}
