public import Foundation

/// A time as people and agents write it: a date, a time, or an age.
public enum TimeText {
    /// What is accepted, for an error.
    public static let expectation =
        "Expected a date (2026-11-23), a time (2026-11-23T08:00:00Z) or an age (12h, 30d, 6w)."

    /// Returns the time that a text means, or nothing if it means none.
    ///
    /// - Parameters:
    ///   - text: Such as `2026-11-23` (its beginning in UTC), `2026-11-23T08:00:00Z`, or `30d` for that long ago.
    ///   - now: The present time.
    /// - Returns: The time.
    public static func date(_ text: String, now: Date) -> Date? {
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
