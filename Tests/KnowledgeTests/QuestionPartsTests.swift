import Testing

@testable import Knowledge

@Suite("Taking questions apart")
struct QuestionPartsTests {
    @Test(
        "A question that asks for several things is taken apart",
        arguments: [
            (
                "How can you include an image as part of a request, and what image formats are supported?",
                ["How can you include an image as part of a request,", "what image formats are supported?"]
            ),
            (
                "What is the retry limit of the client? Where is the timeout of the server set?",
                ["What is the retry limit of the client?", "Where is the timeout of the server set?"]
            ),
            (
                "1. Rotate the signing key\n2. Restore the staging database",
                ["Rotate the signing key", "Restore the staging database"]
            ),
            (
                "- nightly backup schedule\n- on-call phone number",
                ["nightly backup schedule", "on-call phone number"]
            ),
        ] as [(String, [String])]
    )
    func split(text: String, parts: [String]) {
        #expect(QuestionParts.split(text) == parts)
    }

    @Test(
        "A question about one thing stays whole",
        arguments: [
            "How do I rotate the signing key?", "search and replace in files", "What is a lease and how?",
            "Who are you?", "", "???", "maxRetries HTTPClient timeout", "the pros and cons of what we do",
            "What is the difference between staging and production?",
        ]
    )
    func whole(text: String) {
        #expect(QuestionParts.split(text).isEmpty)
    }

    @Test("There are at most four parts, and nothing of the question is lost")
    func bounded() {
        let text = (1...10).map { "Where is the setting number\($0) of server\($0) kept?" }.joined(separator: " ")
        let parts = QuestionParts.split(text)
        #expect(parts.count == 4)
        #expect(parts.joined(separator: " ") == text)
    }
}
