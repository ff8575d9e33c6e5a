import CoordinationTools
import JSON
import Logging
import MCP
import MCPClient
import MCPServer
import SharedState
import TestSupport
import Testing

/// The tools on one store, as several replicas have them.
struct WorkBench: Sendable {
    let stores: SharedStores
    let server: MCPServer

    init(_ stores: SharedStores = .inMemory(), authorizer: any Authorizer = LocalAuthorizer(readOnly: false)) {
        self.stores = stores
        self.server = MCPServer(
            name: "test",
            version: "1",
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
            authorizer: authorizer,
            stores: stores
        ) {
            ClaimWork(stores: stores)
            RenewWork(stores: stores)
            ReleaseWork(leases: stores.leases)
            HandOffWork(leases: stores.leases)
            ListWork(leases: stores.leases)
            WorkResources(leases: stores.leases)
        }
    }

    @discardableResult
    func call(
        _ tool: String,
        _ arguments: JSONObject,
        as principal: String = "user:a"
    ) async throws(ToolError) -> JSONValue {
        try await self.server.callTool(
            ToolInvocation(
                tool: tool,
                arguments: arguments,
                requestID: "1",
                transport: "test",
                principal: Principal(id: principal)
            )
        ).structured
    }

    func failure(_ tool: String, _ arguments: JSONObject, as principal: String = "user:a") async -> ToolError? {
        do throws(ToolError) {
            try await self.call(tool, arguments, as: principal)
            return nil
        } catch {
            return error
        }
    }
}

/// Lets through what concerns one Jira project, and everything that is no such thing.
private struct OneProject: Authorizer {
    func decide(_ request: AccessRequest) -> AccessDecision {
        let reach = AccessReach(limits: [.jiraProject: .init(allowed: [NamePattern("ENG")])])
        let isWithin =
            request.targets?.allSatisfy { target in target.name.map { reach.contains(target.kind, $0) } ?? false }
            ?? true
        return isWithin ? .allowed(reach) : .forbidden
    }
}

@Suite("Tools for claiming work", .timeLimit(.minutes(1)))
struct WorkToolsTests {
    @Test("Work is claimed, renewed and released, and nobody else gets it meanwhile")
    func life() async throws {
        let bench = WorkBench()
        let claim = try await bench.call(
            "work.claim",
            ["name": "jira:ENG-12", "agent": "one", "note": "reading", "lifetime_seconds": 600]
        )
        let token = try #require(claim["fencing_token"]?.intValue)
        #expect(claim["uri"] == "work://jira:ENG-12" && claim["handover"] == .null && claim["note"] == "reading")
        #expect((599_000...600_000).contains(claim["expires_in_ms"]?.intValue ?? 0))
        #expect(claim["expires_at"]?.stringValue?.hasSuffix("Z") == true)
        let refused = try #require(await bench.failure("work.claim", ["name": "jira:ENG-12"], as: "user:b"))
        #expect(refused.code == .conflict && refused.retryable && refused.message.contains("user:a (one)"))
        #expect((.seconds(590)...(.seconds(600))).contains(refused.retryAfter ?? .zero))
        #expect(refused.details?["note"] == "reading" && refused.details?["held_by_you"] == false)
        #expect(refused.message.contains("reading") == false)
        let own = try #require(await bench.failure("work.claim", ["name": "jira:ENG-12"]))
        #expect(own.code == .conflict && own.details?["held_by_you"] == true)
        // Others can neither renew nor release it, and nobody with another token.
        for (principal, number) in [("user:b", token), ("user:a", token + 1)] {
            let arguments: JSONObject = ["name": "jira:ENG-12", "fencing_token": .integer(number)]
            for tool in ["work.renew", "work.release"] {
                let error = await bench.failure(tool, arguments, as: principal)
                #expect(error?.code == .conflict && error?.retryable == false)
            }
        }
        let renewed = try await bench.call(
            "work.renew",
            ["name": "jira:ENG-12", "fencing_token": .integer(token), "lifetime_seconds": 1200, "note": "writing"]
        )
        #expect(renewed["note"] == "writing" && (renewed["expires_in_ms"]?.intValue ?? 0) > 1_190_000)
        let ended = try await bench.call(
            "work.release",
            ["name": "jira:ENG-12", "fencing_token": .integer(token), "note": "fixed"]
        )
        #expect(ended["ended"] == "released" && ended["to"] == .null)
        let next = try await bench.call("work.claim", ["name": "jira:ENG-12"], as: "user:b")
        #expect((next["fencing_token"]?.intValue ?? 0) > token)
        let handover: JSONValue = ["from": "user:a", "agent": "one", "note": "fixed", "ended": "released"]
        #expect(next["handover"] == handover)
    }

    @Test("Work is handed over to another user, or to another agent of the same one")
    func handover() async throws {
        let bench = WorkBench()
        func token(_ answer: JSONValue) -> JSONValue { answer["fencing_token"] ?? .null }
        let first = try await bench.call("work.claim", ["name": "x"])
        let over = try await bench.call(
            "work.handoff",
            ["name": "x", "fencing_token": token(first), "note": "half", "to": "user:b", "reserve_seconds": 60]
        )
        #expect(over["ended"] == "handed_over" && over["to"] == "user:b" && over["reserved_for_ms"] == 60_000)
        let refused = await bench.failure("work.claim", ["name": "x"], as: "user:c")
        #expect(refused?.code == .conflict && refused?.message.contains("user:b") == true)
        let second = try await bench.call("work.claim", ["name": "x"], as: "user:b")
        #expect(second["handover"]?["note"] == "half" && second["handover"]?["ended"] == "handed_over")
        try await bench.call(
            "work.handoff",
            ["name": "x", "fencing_token": token(second), "note": "more", "to": "coder"],
            as: "user:b"
        )
        #expect(await bench.failure("work.claim", ["name": "x", "agent": "coder"], as: "user:c") != nil)
        let third = try await bench.call("work.claim", ["name": "x", "agent": "coder"], as: "user:b")
        #expect(third["handover"]?["note"] == "more")
        #expect(
            await bench.failure("work.handoff", ["name": "x", "fencing_token": token(third)])?.code == .invalidArguments
        )
    }

    @Test("Claims are listed page by page; tokens of others are not shown")
    func list() async throws {
        let bench = WorkBench()
        for number in 1...5 {
            try await bench.call(
                "work.claim",
                ["name": .string("jira:ENG-\(number)")],
                as: number == 3 ? "user:b" : "user:a"
            )
        }
        try await bench.call("work.claim", ["name": "repo:acme/billing"])
        let first = try await bench.call("work.list", ["prefix": "jira:", "limit": 3])
        var names = (first["claims"]?.arrayValue ?? []).compactMap { $0["name"]?.stringValue }
        #expect(names.count == 3)
        let cursor = try #require(first["next_cursor"]?.stringValue)
        let rest = try await bench.call("work.list", ["prefix": "jira:", "limit": 3, "cursor": .string(cursor)])
        names += (rest["claims"]?.arrayValue ?? []).compactMap { $0["name"]?.stringValue }
        #expect(names == (1...5).map { "jira:ENG-\($0)" } && rest["next_cursor"] == .null)
        for claim in first["claims"]?.arrayValue ?? [] {
            let isOwn = claim["principal"] == "user:a"
            #expect(claim["held_by_you"] == .bool(isOwn) && (claim["fencing_token"] != .null) == isOwn)
        }
        let mine = try await bench.call("work.list", ["mine": true], as: "user:b")
        #expect(mine["claims"]?.arrayValue?.map { $0["name"] } == ["jira:ENG-3"])
        // A cursor is for one principal and one list.
        for (prefix, principal) in [("jira:", "user:b"), ("repo:", "user:a")] {
            let error = await bench.failure(
                "work.list",
                ["prefix": .string(prefix), "cursor": .string(cursor)],
                as: principal
            )
            #expect(error?.code == .invalidArguments)
        }
    }

    @Test("What a policy keeps from somebody can't be claimed, listed, read or listened to")
    func reach() async throws {
        let stores = SharedStores.inMemory()
        let (open, limited) = (WorkBench(stores), WorkBench(stores, authorizer: OneProject()))
        for name in ["jira:ENG-1", "jira:OPS-1", "other"] { try await open.call("work.claim", ["name": .string(name)]) }
        let list = try await limited.call("work.list", [:])
        #expect(list["claims"]?.arrayValue?.map { $0["name"] } == ["jira:ENG-1", "other"])
        #expect(await limited.failure("work.claim", ["name": "jira:OPS-2"])?.code == .forbidden)
        #expect(await limited.failure("work.renew", ["name": "jira:OPS-1", "fencing_token": 1])?.code == .forbidden)
        try await limited.call("work.claim", ["name": "jira:ENG-2"])
        let client = InProcessClient(server: limited.server)
        _ = try await client.request("resources/read", ["uri": "work://jira:ENG-1"])
        await #expect(throws: MCPError.self) {
            _ = try await client.request("resources/read", ["uri": "work://jira:OPS-1"])
        }
    }

    @Test(
        "Names, notes and times that are not right are refused",
        arguments: [
            ["name": ""], ["name": "a b"], ["name": "a\u{7}"], ["name": "a\u{202E}"],
            ["name": .string(String(repeating: "x", count: 201))], ["name": "a", "lifetime_seconds": 0],
            ["name": "a", "lifetime_seconds": 14_401], ["name": "a", "agent": ""],
            ["name": "a", "note": .string(String(repeating: "x", count: 2001))],
        ] as [JSONObject]
    )
    func wrong(_ arguments: JSONObject) async throws {
        #expect(await WorkBench().failure("work.claim", arguments)?.code == .invalidArguments)
    }

    @Test("A claim that is repeated with its key is the same claim")
    func idempotency() async throws {
        let bench = WorkBench()
        let arguments: JSONObject = ["name": "x", "idempotency_key": "k"]
        let first = try await bench.call("work.claim", arguments)
        #expect(try await bench.call("work.claim", arguments) == first)
        // What somebody else stood in the way of can be tried again with the same key.
        #expect(await bench.failure("work.claim", arguments, as: "user:b")?.code == .conflict)
        try await bench.call("work.release", ["name": "x", "fencing_token": first["fencing_token"] ?? .null])
        try await bench.call("work.claim", arguments, as: "user:b")
    }

    @Test("Too many claims are refused with what to do about it; without the store nothing is")
    func failures() async throws {
        var stores = SharedStores.inMemory()
        var limits = LeaseLimits()
        limits.perPrincipal = 1
        stores.leases = InMemoryLeaseStore(limits: limits)
        let bench = WorkBench(stores)
        try await bench.call("work.claim", ["name": "x"])
        let error = await bench.failure("work.claim", ["name": "y"])
        #expect(error?.code == .rateLimited && error?.suggestedAction?.contains("work.list") == true)
        stores.leases = AbsentLeases()
        let away = WorkBench(stores)
        let calls: [(String, JSONObject)] = [
            ("work.claim", ["name": "x"]), ("work.renew", ["name": "x", "fencing_token": 1]),
            ("work.release", ["name": "x", "fencing_token": 1]),
            ("work.handoff", ["name": "x", "fencing_token": 1, "note": "n"]), ("work.list", [:]),
        ]
        for (tool, arguments) in calls {
            let error = await away.failure(tool, arguments)
            #expect(error?.code == .upstreamUnavailable && error?.retryable == true, "\(tool)")
        }
    }

    @Test("Those who subscribe hear of claims, renewals, releases and expiry, on all replicas")
    func events() async throws {
        let stores = SharedStores.inMemory()
        let (one, other) = (WorkBench(stores), WorkBench(stores))
        let (heard, continuation) = AsyncStream<JSONRPCNotification>.makeStream()
        let client = InProcessClient(server: other.server, onNotification: { continuation.yield($0) })
        let watches = [one, other].map { bench in
            LeaseWatch(stores: stores, server: bench.server, logger: Logger(label: "test"))
        }
        await withThrowingTaskGroup(of: Void.self) { group in
            for watch in watches { group.addTask { await watch.run() } }
            group.addTask {
                let filter: JSONObject = ["resourceSubscriptions": ["work://jira:ENG-12"]]
                _ = try await client.request("subscriptions/listen", ["notifications": .object(filter)])
            }
            var messages = heard.makeAsyncIterator()
            func expectUpdate(_ when: Comment) async {
                let message = await messages.next()
                #expect(message?.method == "notifications/resources/updated", when)
                #expect(message?.params["uri"] == "work://jira:ENG-12", when)
            }
            do {
                #expect(await messages.next()?.method == "notifications/subscriptions/acknowledged")
                let claim = try await one.call("work.claim", ["name": "jira:ENG-12"])
                await expectUpdate("claimed")
                let held: JSONObject = ["name": "jira:ENG-12", "fencing_token": claim["fencing_token"] ?? .null]
                try await one.call("work.renew", held)
                await expectUpdate("renewed")
                try await one.call("work.release", held)
                await expectUpdate("released")
                let last = try await one.call("work.claim", ["name": "jira:ENG-12", "note": "n"])
                #expect(last["handover"] == .null)
                await expectUpdate("claimed again")
                // Whoever sleeps until the claim expires hears that it does so sooner.
                try await one.call(
                    "work.renew",
                    [
                        "name": "jira:ENG-12", "fencing_token": last["fencing_token"] ?? .null,
                        "lifetime_seconds": 1,
                    ]
                )
                await expectUpdate("renewed for a second")
                await expectUpdate("expired")
                let state = try await client.request("resources/read", ["uri": "work://jira:ENG-12"])
                let text = state["contents"]?[0]?["text"]?.stringValue ?? ""
                let expected: JSONValue = [
                    "name": "jira:ENG-12", "state": "free",
                    "handover": ["from": "user:a", "agent": nil, "note": "n", "ended": "expired"],
                ]
                #expect(try JSONValue(parsing: text) == expected)
            } catch {
                Issue.record(error)
            }
            group.cancelAll()
        }
    }

    @Test("The definitions are those that were reviewed")
    func snapshots() throws {
        for tool in WorkBench().server.tools(for: .local).arrayValue ?? [] {
            let name = try #require(tool["name"]?.stringValue)
            try Snapshot.expect(tool.serializedString(pretty: true) + "\n", named: "\(name).json")
        }
    }
}

/// A store that can't be reached.
private struct AbsentLeases: LeaseStore {
    private static let error = SharedStateError(.unavailable, "away")

    func claim(
        _ resource: String,
        for holder: LeaseHolder,
        lifetime: Duration,
        note: String
    ) async throws(SharedStateError) -> LeaseClaim { throw Self.error }

    func renew(
        _ resource: String,
        token: Int,
        principal: String,
        lifetime: Duration,
        note: String?
    ) async throws(SharedStateError) -> Lease? { throw Self.error }

    func end(
        _ resource: String,
        token: Int,
        principal: String,
        _ handover: LeaseHandover
    ) async throws(SharedStateError) -> Bool { throw Self.error }

    func status(of resource: String) async throws(SharedStateError) -> LeaseStatus { throw Self.error }

    func leases(
        withPrefix prefix: String,
        of principal: String?,
        after: String?,
        limit: Int
    ) async throws(SharedStateError) -> LeasePage { throw Self.error }

    func takeExpired() async throws(SharedStateError) -> ExpiredLeases { throw Self.error }
}
