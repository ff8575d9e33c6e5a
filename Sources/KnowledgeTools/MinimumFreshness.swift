import Foundation

/// The oldest state of a source that a caller wants to hear of, as an argument: a date, a time, or an age.
enum MinimumFreshness {
    static let expectation = "Expected a date (2026-11-23), a time (2026-11-23T08:00:00Z) or an age (12h, 30d, 6w)."

    /// Returns the time that a text means, or nothing if it means none.
    static func date(_ text: String, now: Date) -> Date? {
        if let unit = text.last, let seconds = Self.seconds[unit], let count = Int(text.dropLast()),
            (1...100_000).contains(count)
        {
            return now.addingTimeInterval(-Double(count) * seconds)
        }
        let isDay = text.count == 10
        return try? Date.ISO8601FormatStyle().parse(isDay ? "\(text)T00:00:00Z" : text)
    }

    private static let seconds: [Character: Double] = ["h": 3600, "d": 86_400, "w": 604_800]
}
