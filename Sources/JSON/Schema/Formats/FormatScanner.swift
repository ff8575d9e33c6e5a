/// Reads the formats that consist of fixed fields, byte by byte.
struct FormatScanner {
    private let bytes: [UInt8]
    private var position = 0

    init(_ text: String) { self.bytes = Array(text.utf8) }

    /// Whether a scan succeeds and leaves nothing behind.
    mutating func isWhole(_ scan: (inout FormatScanner) -> Bool) -> Bool {
        scan(&self) && self.position == self.bytes.count
    }

    // MARK: Dates and times (RFC 3339, section 5.6)

    mutating func scanDateTime() -> Bool {
        self.scanDate() && (self.skip("T") || self.skip("t")) && self.scanTime()
    }

    mutating func scanDate() -> Bool {
        guard let year = self.digits(4), self.skip("-"), let month = self.digits(2), self.skip("-"),
            let day = self.digits(2)
        else { return false }
        let isLeapYear = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        let days = [31, isLeapYear ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        return (1...12).contains(month) && (1...days[month - 1]).contains(day)
    }

    mutating func scanTime() -> Bool {
        guard let hour = self.digits(2), self.skip(":"), let minute = self.digits(2), self.skip(":"),
            let second = self.digits(2), hour < 24, minute < 60, second <= 60
        else { return false }
        if self.skip("."), self.countDigits() == 0 { return false }
        guard let offset = self.scanOffset() else { return false }
        // A leap second is the last one of a day in UTC.
        let minuteOfDay = (hour * 60 + minute - offset + 2 * 1440) % 1440
        return second < 60 || minuteOfDay == 1439
    }

    /// The distance from UTC in minutes.
    private mutating func scanOffset() -> Int? {
        if self.skip("Z") || self.skip("z") { return 0 }
        let isNegative = self.skip("-")
        guard isNegative || self.skip("+"), let hour = self.digits(2), self.skip(":"), let minute = self.digits(2),
            hour < 24, minute < 60
        else { return nil }
        return (isNegative ? -1 : 1) * (hour * 60 + minute)
    }

    /// RFC 3339, appendix A: units follow each other without gaps.
    mutating func scanDuration() -> Bool {
        guard self.skip("P") else { return false }
        let start = self.position
        if self.countDigits() > 0, self.skip("W") { return true }
        self.position = start
        let hasDate = self.scanUnits("YMD")
        guard let hasDate else { return false }
        guard self.skip("T") else { return hasDate }
        return self.scanUnits("HMS") ?? false
    }

    /// Whether there are units, or `nil` if they are out of order or one is left out between others.
    private mutating func scanUnits(_ units: StaticString) -> Bool? {
        var last = -1
        while self.position < self.bytes.count, self.bytes[self.position].isASCIIDigit {
            _ = self.countDigits()
            guard let unit = (0..<3).first(where: { self.current == units.utf8Start[$0] }) else { return nil }
            guard last == -1 || unit == last + 1 else { return nil }
            self.position += 1
            last = unit
        }
        return last >= 0
    }

    // MARK: Others

    /// RFC 9562, section 4.
    mutating func scanUUID() -> Bool {
        for (number, length) in [8, 4, 4, 4, 12].enumerated() {
            if number > 0, !self.skip("-") { return false }
            for _ in 0..<length {
                guard self.current?.hexadecimalValue != nil else { return false }
                self.position += 1
            }
        }
        return true
    }

    /// A number without leading zeros, and then either `#` or a JSON pointer.
    mutating func scanRelativeJSONPointer() -> Bool {
        let isZero = self.current == UInt8(ascii: "0")
        let count = self.countDigits()
        guard count == 1 || count > 1 && !isZero else { return false }
        if self.skip("#") { return true }
        let rest = String(decoding: self.bytes[self.position...], as: UTF8.self)
        self.position = self.bytes.count
        return (try? JSONPointer(parsing: rest)) != nil
    }

    // MARK: Bytes

    private var current: UInt8? { self.position < self.bytes.count ? self.bytes[self.position] : nil }

    private mutating func skip(_ scalar: Unicode.Scalar) -> Bool {
        guard self.current == UInt8(ascii: scalar) else { return false }
        self.position += 1
        return true
    }

    /// A number of just so many digits.
    private mutating func digits(_ count: Int) -> Int? {
        var value = 0
        for _ in 0..<count {
            guard let byte = self.current, byte.isASCIIDigit else { return nil }
            value = value * 10 + Int(byte - UInt8(ascii: "0"))
            self.position += 1
        }
        return value
    }

    private mutating func countDigits() -> Int {
        let start = self.position
        while let byte = self.current, byte.isASCIIDigit { self.position += 1 }
        return self.position - start
    }
}
