import JSON
import MCP
import Testing

@testable import MCPHTTP

@Suite("The mailbox of a stream", .timeLimit(.minutes(1)))
struct MailboxTests {
    private func messages(_ mailbox: Mailbox) async -> [JSONValue]? {
        await mailbox.next()?.compactMap { if case .message(let message) = $0 { message } else { nil } }
    }

    @Test("A slow reader misses progress, and nothing that must not be lost")
    func slow() async {
        let mailbox = Mailbox()
        for step in 0..<10_000 {
            mailbox.send(JSONRPCNotification(method: "notifications/progress", params: ["progress": .integer(step)]))
        }
        #expect(mailbox.send(JSONRPCRequest(id: .string("q"), method: "elicitation/create")))
        let messages = await self.messages(mailbox)
        #expect(messages?.count == Mailbox.maximumWaiting + 1)
        #expect(messages?.last?["id"] == "q")
    }

    @Test("Of notifications that say the same, one waits; of too many different ones the stream ends")
    func coalescing() async {
        let mailbox = Mailbox()
        for _ in 0..<1000 {
            mailbox.send(JSONRPCNotification(method: "notifications/tools/list_changed"), replacing: "tools")
        }
        #expect(await self.messages(mailbox)?.count == 1)
        for number in 0..<1000 {
            mailbox.send(JSONRPCNotification(method: "notifications/resources/updated"), replacing: "\(number)")
        }
        #expect(await self.messages(mailbox)?.count == Mailbox.maximumWaiting)
        #expect(await mailbox.next() == nil, "The client notices, and begins anew.")
    }

    @Test("A reader is woken by a message, by the end, and by its own cancellation")
    func waking() async throws {
        let mailbox = Mailbox()
        async let first = self.messages(mailbox)
        mailbox.send(JSONRPCNotification(method: "a"))
        #expect(await first?.count == 1)
        let reader = Task { await mailbox.next() == nil }
        reader.cancel()
        #expect(await reader.value)
        async let last = mailbox.next()
        mailbox.finish()
        #expect(await last == nil)
    }
}
