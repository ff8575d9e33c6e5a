import Foundation
import Testing

@testable import Knowledge

/// Pairs of questions from the files of `QuestionPairs`.
enum QuestionPairs {
    static func read(_ name: String) throws -> [(String, String)] {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "QuestionPairs")
        let text = try String(contentsOf: folder.appending(path: "\(name).tsv"), encoding: .utf8)
        return try text.split(separator: "\n").map { line in
            let columns = line.split(separator: "\t")
            try #require(columns.count == 2, "\(line)")
            return (String(columns[0]), String(columns[1]))
        }
    }
}

@Suite("Fingerprints of questions")
struct QuestionFingerprintTests {
    @Test("Opposites are never the same question, however near their vectors are")
    func opposites() throws {
        let pairs = try QuestionPairs.read("opposites")
        #expect(pairs.count >= 40)
        for (first, second) in pairs {
            #expect(QuestionFingerprint(first).words != QuestionFingerprint(second).words, "\(first) | \(second)")
            #expect(QuestionFingerprint(first).normalised != QuestionFingerprint(second).normalised)
        }
    }

    @Test("Politeness, articles, contractions and punctuation don't make another question")
    func paraphrases() throws {
        let pairs = try QuestionPairs.read("paraphrases")
        #expect(pairs.count >= 15)
        for (first, second) in pairs {
            #expect(QuestionFingerprint(first).words == QuestionFingerprint(second).words, "\(first) | \(second)")
        }
    }

    @Test("White space, the Unicode form and a question mark at the end don't make another text; case does")
    func normalised() {
        #expect(
            QuestionFingerprint(" Cafe\u{301}  menu? ").normalised == QuestionFingerprint("Caf\u{E9} menu").normalised
        )
        #expect(QuestionFingerprint("maxRetries").normalised != QuestionFingerprint("maxretries").normalised)
        #expect(QuestionFingerprint("???").normalised == "")
        #expect(QuestionFingerprint("").words == [])
        #expect(QuestionFingerprint("PLEASE ROTATE THE KEY").words == ["rotate", "key"])
        #expect(QuestionFingerprint("the a an").words == [])
    }
}
