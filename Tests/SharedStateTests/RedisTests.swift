import Foundation
import Logging
import NIOCore
import NIOPosix
import SharedState
import Synchronization
import Testing

@testable import SharedStateRedis

private let testURL = ProcessInfo.processInfo.environment["TEST_REDIS_URL"]

@Suite("Shared state in Redis", .enabled(if: testURL != nil, "Set TEST_REDIS_URL to run."), .timeLimit(.minutes(1)))
struct RedisSharedStateTests {
    private func withClient<T>(
        prefix: String = "test-\(UInt64.random(in: 0 ... .max)):",
        _ body: (RedisClient) async throws -> T
    ) async throws -> T {
        var configuration = try RedisConfiguration(url: try #require(testURL))
        configuration.prefix = prefix
        let client = RedisClient(configuration: configuration, logger: Logger(label: "test"))
        let result: Result<T, any Error>
        do { result = .success(try await body(client)) } catch { result = .failure(error) }
        await client.shutdown()
        return try result.get()
    }

    @Test("It keeps the promises of shared state")
    func contract() async throws {
        try await self.withClient { try await SharedStateContract(.redis($0)).check() }
    }

    @Test("Two agents with 1,000 claims each over 500 items never hold one at once")
    func leaseRace() async throws {
        try await self.withClient { try await LeaseRace(RedisLeaseStore(client: $0)).check() }
    }

    @Test("Copies are kept as in memory")
    func cache() async throws {
        try await self.withClient { try await CacheAsideContract(RedisKeyValueStore(client: $0)).check() }
    }

    @Test("Leases, notes and operations are bounded")
    func leaseBounds() async throws {
        try await self.withClient { client in
            var limits = LeaseLimits()
            (limits.perPrincipal, limits.total, limits.notes) = (2, 3, 2)
            let store = RedisLeaseStore(client: client, limits: limits)
            func claim(_ name: String, _ principal: String, _ lifetime: Duration = .seconds(60)) async throws -> Int {
                let holder = LeaseHolder(principal: principal)
                let claim = try await store.claim(name, for: holder, lifetime: lifetime, note: "")
                guard case .granted(let lease, _) = claim else { return 0 }
                return lease.token
            }
            // What has expired does not count, whether somebody has taken note of it or not.
            for name in ["x", "y"] { _ = try await claim(name, "a", .milliseconds(1)) }
            _ = try await claim("z", "b", .milliseconds(1))
            try await Task.sleep(for: .milliseconds(20))
            let tokens = [try await claim("1", "a"), try await claim("2", "a")]
            #expect(tokens[0] > 0 && tokens[1] > tokens[0])
            let own = await #expect(throws: SharedStateError.self) { _ = try await claim("3", "a") }
            #expect(own?.code == .full && own?.message.contains("2") == true)
            let third = try await claim("3", "b")
            let all = await #expect(throws: SharedStateError.self) { _ = try await claim("4", "c") }
            #expect(all?.code == .full && all?.message.contains("3") == true)
            for (name, token, principal) in [("1", tokens[0], "a"), ("2", tokens[1], "a"), ("3", third, "b")] {
                #expect(try await store.end(name, token: token, principal: principal, .release(note: "n")))
                try await Task.sleep(for: .milliseconds(2))
            }
            #expect(try await store.status(of: "1") == .free(nil))
            #expect(try await store.status(of: "3") != .free(nil))

            func begin(_ name: String, _ owner: String, _ lifetime: Duration) async throws -> IdempotencyState {
                var remembered = IdempotencyLimits()
                (remembered.perOwner, remembered.lifetime) = (1, lifetime)
                return try await RedisIdempotencyStore(client: client, limits: remembered).begin(
                    IdempotencyKey(owner: owner, name: name),
                    fingerprint: [1],
                    attempt: "1",
                    lease: .seconds(60),
                    mayRepeat: false
                )
            }
            #expect(try await begin("1", "a", .seconds(60)) == .begun)
            let full = await #expect(throws: SharedStateError.self) { try await begin("2", "a", .seconds(60)) }
            #expect(full?.code == .full)
            #expect(try await begin("1", "b", .milliseconds(1)) == .begun)
            try await Task.sleep(for: .milliseconds(20))
            #expect(try await begin("2", "b", .milliseconds(1)) == .begun)
        }
    }

    @Test("Tokens go on increasing after Redis has lost everything, and when its clock seems to be behind")
    func tokensAfterLoss() async throws {
        try await self.withClient { client in
            let store = RedisLeaseStore(client: client)
            func token(_ name: String) async throws -> Int {
                let holder = LeaseHolder(principal: "a")
                guard
                    case .granted(let lease, _) = try await store.claim(
                        name,
                        for: holder,
                        lifetime: .seconds(60),
                        note: ""
                    )
                else { return 0 }
                return lease.token
            }
            let before = try await token("1")
            for key in ["token", "item:1", "held", "names", "of:a"] {
                let name = client.name("lease", "{all}", key)
                #expect(try await client.send(RedisCommand("DEL", [UInt8](redis: name))).integer == 1)
            }
            let after = try await token("1")
            #expect(after > before && before > 0)
            // As if the clock had been set back by an hour since.
            let ahead = after + 3_600_000_000
            let name = client.name("lease", "{all}", "token")
            _ = try await client.send(RedisCommand("SET", [UInt8](redis: name), [UInt8](redis: ahead)))
            #expect(try await token("2") == ahead + 1)
        }
    }

    @Test("What one replica writes or says, another reads and hears")
    func replicas() async throws {
        let prefix = "test-\(UInt64.random(in: 0 ... .max)):"
        try await self.withClient(prefix: prefix) { one in
            try await self.withClient(prefix: prefix) { other in
                let (here, there) = (SharedStores.redis(one), SharedStores.redis(other))
                try await here.values.set("k", to: [1], lifetime: .seconds(60))
                #expect(try await there.values.value(for: "k") == [1])
                _ = try await here.events.append([1], to: "s", isLast: false, lifetime: .seconds(60))
                async let next = there.events.events(in: "s", after: 1, waitingFor: .seconds(30))
                _ = try await here.events.append([2], to: "s", isLast: true, lifetime: .seconds(60))
                #expect(try await next?.events.first?.event == [2])
                let heard = try await there.bus.subscribe(to: "t")
                try await here.bus.publish([3], to: "t")
                var messages = heard.makeAsyncIterator()
                #expect(await messages.next() == [3])
            }
        }
    }

    @Test("Old events go when there are too many or too large ones, and the reader learns of the gap")
    func bounds() async throws {
        try await self.withClient { client in
            var limits = RedisEventLog.Limits()
            limits.eventsPerStream = 3
            limits.bytesPerStream = 10
            let log = RedisEventLog(client: client, limits: limits)
            for number in 1...4 {
                _ = try await log.append([UInt8(number)], to: "s", isLast: false, lifetime: .seconds(60))
            }
            var found = try #require(try await log.events(in: "s", after: 0, waitingFor: .zero))
            #expect(found.events.map(\.sequence) == [2, 3, 4])
            #expect(found.hasGap)
            _ = try await log.append([UInt8](repeating: 9, count: 20), to: "s", isLast: false, lifetime: .seconds(60))
            found = try #require(try await log.events(in: "s", after: 0, waitingFor: .zero))
            #expect(found.events.map(\.sequence) == [5])
        }
    }

    @Test("Many callers share one connection, and everybody gets their own answer")
    func pipelining() async throws {
        try await self.withClient { client in
            let store = RedisKeyValueStore(client: client)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<2000 {
                    group.addTask {
                        let value = Array("\(number)".utf8)
                        try await store.set("\(number)", to: value, lifetime: .seconds(60))
                        #expect(try await store.value(for: "\(number)") == value)
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    @Test("A connection that the server closes is opened again, and listeners go on to hear")
    func reconnection() async throws {
        try await self.withClient { client in
            let bus = RedisEventBus(client: client)
            let heard = try await bus.subscribe(to: "t")
            let id = try await client.send(RedisCommand("CLIENT", [UInt8](redis: "ID")))
            try await self.withClient { other in
                let number = [UInt8](redis: try #require(id.integer))
                _ = try await other.send(RedisCommand("CLIENT", [UInt8](redis: "KILL"), [UInt8](redis: "ID"), number))
            }
            var messages = heard.makeAsyncIterator()
            // Until the subscription is there again, nobody hears: say it until it was heard.
            let speaker = Task {
                while !Task.isCancelled {
                    try? await bus.publish([1], to: "t")
                    try await Task.sleep(for: .milliseconds(20))
                }
            }
            #expect(await messages.next() == [1])
            speaker.cancel()
            try await client.ping()
        }
    }
}

@Suite("A Redis that fails", .timeLimit(.minutes(1)))
struct RedisFailureTests {
    @Test("Where nobody listens, every call fails as unavailable")
    func nobody() async throws {
        // A port that was free a moment ago.
        let group = MultiThreadedEventLoopGroup.singleton
        let channel = try await ServerBootstrap(group: group).bind(host: "127.0.0.1", port: 0).get()
        let port = try #require(channel.localAddress?.port)
        try await channel.close()
        let configuration = try RedisConfiguration(url: "redis://:secret@127.0.0.1:\(port)")
        let client = RedisClient(configuration: configuration, logger: Logger(label: "test"))
        for _ in 0..<3 {
            let error = await #expect(throws: SharedStateError.self) { try await client.ping() }
            #expect(error?.code == .unavailable)
            #expect(error?.message.contains("secret") == false)
        }
        await #expect(throws: SharedStateError.self) { try await RedisEventBus(client: client).subscribe(to: "t") }
        await client.shutdown()
    }

    @Test("A server that accepts and says nothing is given up after the time for an answer")
    func silence() async throws {
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .bind(host: "127.0.0.1", port: 0).get()
        let port = try #require(channel.localAddress?.port)
        var configuration = try RedisConfiguration(url: "redis://127.0.0.1:\(port)")
        configuration.commandTimeout = .milliseconds(50)
        let client = RedisClient(configuration: configuration, logger: Logger(label: "test"))
        let error = await #expect(throws: SharedStateError.self) { try await client.ping() }
        #expect(error?.code == .unavailable)
        await client.shutdown()
        try await channel.close()
    }

    @Test("Nothing works after the end")
    func end() async throws {
        let client = RedisClient(
            configuration: try RedisConfiguration(url: "redis://127.0.0.1:1"),
            logger: Logger(label: "test")
        )
        await client.shutdown()
        await #expect(throws: SharedStateError.self) { try await client.ping() }
    }
}

@Suite("The address of Redis")
struct RedisConfigurationTests {
    @Test("All its parts are read")
    func parts() throws {
        let plain = try RedisConfiguration(url: "redis://localhost")
        #expect(plain.host == "localhost" && plain.port == 6379 && plain.database == 0 && !plain.usesTLS)
        #expect(plain.password == nil)
        let full = try RedisConfiguration(url: "rediss://ga%3Antry:p%40ss%2Fword@[::1]:6380/7")
        #expect(full.usesTLS && full.user == "ga:ntry" && full.password == "p@ss/word")
        #expect(full.host == "::1" && full.port == 6380 && full.database == 7)
        #expect(try RedisConfiguration(url: "redis://:pw@h").user == "default")
    }

    @Test(
        "What is wrong is refused, without the password",
        arguments: [
            "localhost:6379", "http://localhost", "redis://", "redis://:6379", "redis://h:0", "redis://h:70000",
            "redis://h:x", "redis://h/x", "redis://h/-1", "redis://secret@h", "redis://u:secret%4@h", "redis://u:@h",
            "redis://[::1", "redis://h h", "redis://u:secret@h:6379/0?x=1",
        ]
    )
    func wrong(_ url: String) {
        let error = #expect(throws: RedisConfigurationError.self) { try RedisConfiguration(url: url) }
        #expect(error?.description.contains("secret") == false)
    }
}

@Suite("RESP3")
struct RESPDecoderTests {
    private func decode(_ text: String) throws -> RESPValue? {
        var buffer = ByteBuffer(string: text)
        var decoder = RESPDecoder()
        return try decoder.decode(buffer: &buffer)
    }

    @Test("Values of all kinds are read, however they are cut into pieces")
    func pieces() throws {
        let text = "*7\r\n+OK\r\n:-42\r\n$5\r\na\r\nb\n\r\n_\r\n%1\r\n$1\r\nk\r\n#t\r\n$0\r\n\r\n-ERR no\r\n"
        for length in 0..<text.utf8.count {
            #expect(try self.decode(String(decoding: text.utf8.prefix(length), as: UTF8.self)) == nil)
        }
        let values = try #require(try self.decode(text)?.array)
        #expect(values[0].text == "OK")
        #expect(values[1].integer == -42)
        #expect(values[2].bytes == Array("a\r\nb\n".utf8))
        #expect(values[4].array?.last?.integer == 1)
        #expect(values[5].bytes == [])
        guard case .null = values[3], case .error("ERR no") = values[6] else {
            Issue.record("\(values)")
            return
        }
    }

    @Test(
        "What is no RESP3, or is more than is taken, is refused",
        arguments: [
            "?\r\n", ":x\r\n", "$-2\r\n", "$99999999999\r\n", "*1048577\r\n", "+a\rb\r\n",
            String(repeating: "*1\r\n", count: 10), "+" + String(repeating: "x", count: 70_000),
        ]
    )
    func refused(_ text: String) {
        #expect(throws: RESPError.self) { try self.decode(text) }
    }
}
