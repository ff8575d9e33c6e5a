import Logging
import Synchronization
import Testing

@testable import Secrets

@Suite("Secrets that are kept for a while", .timeLimit(.minutes(1)))
struct CachedSecretsTests {
    /// A place for secrets that can be away, and a clock that is set.
    private final class Place: Sendable {
        struct State {
            var text = #"{"token":"first"}"#
            var failure: SecretError?
            var asked = 0
            var time = ContinuousClock.now
        }
        let state = Mutex(State())

        func fetch() throws(SecretError) -> String {
            try self.state.withLock { state throws(SecretError) in
                state.asked += 1
                if let failure = state.failure { throw failure }
                return state.text
            }
        }
        var asked: Int { self.state.withLock { $0.asked } }
        func pass(_ seconds: Int) { self.state.withLock { $0.time += .seconds(seconds) } }
        func hold(_ text: String) { self.state.withLock { $0.text = text } }
        func fail(_ code: SecretError.Code?) {
            self.state.withLock { $0.failure = code.map { SecretError($0, "no") } }
        }
    }

    private let place = Place()
    private let secrets: CachedSecrets
    private let token: SecretReference

    init() throws {
        let place = self.place
        self.token = try SecretReference("secret://jira#token")
        self.secrets = CachedSecrets(
            logger: { Logger(label: "test") { _ in SwiftLogNoOpLogHandler() } },
            now: { place.state.withLock { $0.time } }
        ) { _ throws(SecretError) in try place.fetch() }
    }

    private func code() async -> SecretError.Code? {
        do throws(SecretError) {
            _ = try await self.secrets.value(of: self.token)
            return nil
        } catch { return error.code }
    }

    @Test("All that ask at the same time share one fetch, and so do the fields of a secret")
    func singleFlight() async throws {
        let values = try await withThrowingTaskGroup(of: String.self) { group in
            for _ in 0..<50 { group.addTask { try await self.secrets.value(of: self.token) } }
            return try await group.reduce(into: Set<String>()) { $0.insert($1) }
        }
        #expect(values == ["first"])
        _ = try await self.secrets.value(of: SecretReference("secret://jira"))
        #expect(self.place.asked == 1)
    }

    @Test("A rotation is seen when the secret has become old")
    func lifetime() async throws {
        #expect(try await self.secrets.value(of: self.token) == "first")
        self.place.hold(#"{"token":"second"}"#)
        self.place.pass(299)
        #expect(try await self.secrets.value(of: self.token) == "first")
        self.place.pass(2)
        #expect(try await self.secrets.value(of: self.token) == "second")
        #expect(self.place.asked == 2)
    }

    @Test("A rotation is seen at once when somebody is refused, but refusals don't cause load")
    func refused() async throws {
        #expect(try await self.secrets.value(of: self.token) == "first")
        self.place.hold(#"{"token":"second"}"#)
        self.place.pass(11)
        #expect(try await self.secrets.value(of: self.token, refused: "first") == "second")
        for _ in 0..<100 { #expect(try await self.secrets.value(of: self.token, refused: "second") == "second") }
        #expect(self.place.asked == 2)
        // Somebody else's old value is no reason.
        self.place.pass(11)
        #expect(try await self.secrets.value(of: self.token, refused: "first") == "second")
        #expect(self.place.asked == 2)
    }

    @Test("While the place is away the last value counts, for a day; attempts have a floor between them")
    func away() async throws {
        #expect(try await self.secrets.value(of: self.token) == "first")
        self.place.fail(.throttled)
        self.place.pass(301)
        for _ in 0..<10 { #expect(try await self.secrets.value(of: self.token) == "first") }
        #expect(self.place.asked == 2)
        self.place.pass(11)
        #expect(try await self.secrets.value(of: self.token) == "first")
        #expect(self.place.asked == 3)
        self.place.fail(.unavailable)
        self.place.pass(86_400)
        #expect(await self.code() == .unavailable)
        self.place.fail(nil)
        self.place.pass(11)
        #expect(try await self.secrets.value(of: self.token) == "first")
    }

    @Test("A place that refuses is believed at once")
    func denied() async throws {
        #expect(try await self.secrets.value(of: self.token) == "first")
        self.place.fail(.denied)
        self.place.pass(301)
        #expect(await self.code() == .denied)
        #expect(await self.code() == .denied)
        #expect(self.place.asked == 2)
    }
}
