import Foundation
import Testing

@testable import Knowledge

@Suite("Watching the quality of answers")
struct QualityWatchTests {
    private static let start = Date(timeIntervalSince1970: 3600 * 1000)

    private static func observation(
        _ query: String,
        count: Int = 3,
        similarity: Double? = 0.5,
        isDoubtful: Bool = false,
        milliseconds: Int = 3
    ) -> QualityWatch.Observation {
        QualityWatch.Observation(
            query: query,
            answerID: "id of \(query)",
            resultCount: count,
            bestSimilarity: similarity,
            isLowConfidence: isDoubtful,
            isCached: false,
            duration: .milliseconds(milliseconds)
        )
    }

    @Test("Rates and histograms are those of the hours that are asked for")
    func windows() {
        let watch = QualityWatch()
        watch.observe(Self.observation("old", count: 0, similarity: nil), at: Self.start)
        let later = Self.start.addingTimeInterval(3600 * 5)
        watch.observe(Self.observation("a"), at: later)
        watch.observe(Self.observation("b", similarity: 1.0, isDoubtful: true, milliseconds: 40_000), at: later)
        watch.observe(Self.observation("c", similarity: -0.3, milliseconds: 0), at: later)
        let hour = watch.total(hours: 1, at: later)
        #expect(hour.queryCount == 3)
        #expect(hour.emptyRate == 0)
        #expect(hour.lowConfidenceRate == 1.0 / 3)
        #expect(hour.similarities[10] == 1 && hour.similarities[19] == 1 && hour.similarities[0] == 1)
        #expect(hour.milliseconds[2] == 1 && hour.milliseconds[15] == 1 && hour.milliseconds[0] == 1)
        #expect(watch.total(hours: 24, at: later).emptyRate == 0.25)
        #expect(watch.total(hours: 1, at: later.addingTimeInterval(7200)).emptyRate == nil)
    }

    @Test("Nothing grows without end")
    func bounds() {
        let watch = QualityWatch()
        for hour in 0..<500 {
            let time = Self.start.addingTimeInterval(3600 * Double(hour))
            for index in 0..<10 { watch.observe(Self.observation("\(hour) \(index)", count: 0), at: time) }
        }
        let end = Self.start.addingTimeInterval(3600 * 499)
        #expect(watch.total(hours: 1_000_000, at: end).queryCount == QualityWatch.keptHours * 10)
        #expect(watch.unanswered.count == QualityWatch.keptUnanswered)
        #expect(watch.unanswered.first?.query == "499 9")
        #expect(watch.question(ofAnswer: "id of 499 9") == "499 9")
        #expect(watch.question(ofAnswer: "id of 0 0") == nil)
    }

    @Test("A question that is asked again and again is remembered once, with its count")
    func repetition() {
        let watch = QualityWatch()
        for _ in 0..<3 { watch.observe(Self.observation("x", count: 0), at: Self.start) }
        watch.observe(Self.observation("y", isDoubtful: true), at: Self.start)
        #expect(watch.unanswered.map(\.query) == ["y", "x"])
        #expect(watch.unanswered.map(\.count) == [1, 3])
        watch.observe(Self.observation(String(repeating: "z", count: 5000), count: 0), at: Self.start)
        #expect(watch.unanswered.first?.query.count == 200)
    }
}
