import SharedState
import Testing

extension SharedStateContract {
    private func take(_ uses: [LimitedUse], _ holder: String = "h") async throws -> LimitRefusal? {
        try await self.stores.limits.take(uses, holder: holder, lifetime: .seconds(60))
    }

    func rates() async throws {
        let slow = LimitedUse(self.name("slow"), .rate(burst: 3, perSecond: 0.001))
        for _ in 0..<3 { #expect(try await self.take([slow]) == nil) }
        let refusal = try #require(try await self.take([slow]))
        #expect(refusal.index == 0)
        #expect((.seconds(900) ... .seconds(1000)).contains(refusal.retryAfter))
        // All or none: what is refused costs nothing elsewhere.
        let other = LimitedUse(self.name("other"), .rate(burst: 1, perSecond: 0.001))
        #expect(try await self.take([other, slow])?.index == 1)
        #expect(try await self.take([other]) == nil)
        #expect(try await self.take([other, slow])?.index == 0)
        // The bucket fills again.
        let quick = LimitedUse(self.name("quick"), .rate(burst: 1, perSecond: 5))
        for _ in 0..<3 {
            guard let refusal = try await self.take([quick]) else { continue }
            try await Task.sleep(for: refusal.retryAfter)
            #expect(try await self.take([quick]) == nil)
        }
    }

    func quotas() async throws {
        let daily = LimitedUse(self.name("daily"), .quota(2, per: .seconds(86_400)))
        for _ in 0..<2 { #expect(try await self.take([daily]) == nil) }
        let refusal = try #require(try await self.take([daily]))
        #expect(refusal.retryAfter > .seconds(60) && refusal.retryAfter <= .seconds(2 * 86_400))
        // The stretch slides: what was refused is taken at the time that was told.
        let short = LimitedUse(self.name("short quota"), .quota(3, per: .milliseconds(500)))
        for _ in 0..<8 {
            guard let refusal = try await self.take([short]) else { continue }
            try await Task.sleep(for: refusal.retryAfter)
            #expect(try await self.take([short]) == nil)
        }
    }

    func places() async throws {
        let places = LimitedUse(self.name("places"), .concurrency(2))
        #expect(try await self.take([places], "a") == nil)
        #expect(try await self.take([places], "b") == nil)
        #expect(try await self.take([places], "c")?.retryAfter == .milliseconds(250))
        self.stores.limits.giveBack([places], holder: "nobody")
        #expect(try await self.take([places], "c") != nil)
        self.stores.limits.giveBack([places], holder: "a")
        #expect(try await self.take([places], "c") == nil)
        #expect(try await self.take([places], "d") != nil)
        // A holder that is gone holds its place for a while only.
        let short = LimitedUse(self.name("short place"), .concurrency(1))
        #expect(try await self.stores.limits.take([short], holder: "a", lifetime: .milliseconds(1)) == nil)
        try await Task.sleep(for: .milliseconds(20))
        #expect(try await self.take([short], "b") == nil)
        #expect(try await self.take([short], "c") != nil)
    }

    func manyAtOnce() async throws {
        let uses = [
            LimitedUse(self.name("crowd"), .rate(burst: 20, perSecond: 0.001)),
            LimitedUse(self.name("crowd"), .quota(10, per: .seconds(86_400))),
            LimitedUse(self.name("crowd"), .concurrency(15)),
        ]
        let taken = try await withThrowingTaskGroup(of: Bool.self) { group in
            for number in 0..<100 { group.addTask { try await self.take(uses, "\(number)") == nil } }
            return try await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
        }
        #expect(taken == 10)
    }
}
