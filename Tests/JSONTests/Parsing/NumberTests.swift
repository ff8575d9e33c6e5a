import JSON
import Testing

@Suite("JSON numbers")
struct NumberTests {
    enum Kind { case integer, double, decimal }

    @Test(
        "Each number gets the case that holds it without loss, and is written so that it comes back",
        arguments: [
            ("0", Kind.integer, "0"),
            ("-0", .double, "-0.0"),
            ("-0.0", .double, "-0.0"),
            ("0e5", .double, "0.0"),
            ("42", .integer, "42"),
            ("9223372036854775807", .integer, "9223372036854775807"),
            ("-9223372036854775808", .integer, "-9223372036854775808"),
            ("9223372036854775808", .decimal, "9223372036854775808"),
            ("-9223372036854775809", .decimal, "-9223372036854775809"),
            ("18446744073709551615", .decimal, "18446744073709551615"),
            ("18446744073709551616", .decimal, "18446744073709551616"),
            ("36893488147419103232", .decimal, "36893488147419103232"),
            ("0.00000000000000000000000000001", .double, "1e-29"),
            ("18446744073709551617", .decimal, "18446744073709551617"),
            ("100000000000000000000", .double, "1e+20"),
            ("123456789012345678901234567890", .decimal, "123456789012345678901234567890"),
            ("1.0", .double, "1.0"),
            ("1.50", .double, "1.5"),
            ("1e2", .double, "100.0"),
            ("1E-2", .double, "0.01"),
            ("0.1", .double, "0.1"),
            ("0.1234567890123456", .double, "0.1234567890123456"),
            ("0.1234567890123456789", .decimal, "0.1234567890123456789"),
            ("3.14159265358979323846", .decimal, "3.14159265358979323846"),
            ("0.30000000000000004", .double, "0.30000000000000004"),
            ("9007199254740993.0", .decimal, "9007199254740993.0"),
            ("1.000000000000000000000", .double, "1.0"),
            ("1.7976931348623157e308", .double, "1.7976931348623157e+308"),
            ("1e309", .decimal, "1e309"),
            ("-1e400", .decimal, "-1e400"),
            ("5e-324", .double, "5e-324"),
            ("4.9e-324", .decimal, "4.9e-324"),
            ("1e-400", .decimal, "1e-400"),
            ("2.2250738585072014e-308", .double, "2.2250738585072014e-308"),
            ("1e99999999999999999999", .decimal, "1e99999999999999999999"),
            ("0e99999999999999999999", .double, "0.0"),
            ("123e-0001", .double, "12.3"),
            ("1e+00000000000000000001", .double, "10.0"),
        ]
    )
    func table(literal: String, kind: Kind, written: String) throws {
        let value = try JSONValue(parsing: literal)
        switch value {
        case .integer: #expect(kind == .integer)
        case .double: #expect(kind == .double)
        case .decimal: #expect(kind == .decimal)
        default: Issue.record("\(literal) became \(value)")
        }
        #expect(value.serializedString() == written)
        #expect(try JSONValue(parsing: written) == value)
        #expect(JSONValue(number: literal) == value)
    }

    @Test("A minus survives in front of zero")
    func negativeZero() throws {
        let number = try #require(try JSONValue(parsing: "-0").doubleValue)
        #expect(number.sign == .minus)
        #expect(try JSONValue(parsing: JSONValue.double(number).serialized()).doubleValue?.sign == .minus)
    }

    @Test("What is no number is refused", arguments: ["", "-", "+1", ".5", "1.", "1e", "0x1", " 1", "1 ", "NaN", "00"])
    func notNumbers(text: String) {
        #expect(JSONValue(number: text) == nil)
    }

    @Test("Doubles that are not finite are refused by the initializer and written as null")
    func notFinite() {
        #expect(JSONValue(finite: .infinity) == nil)
        #expect(JSONValue(finite: .nan) == nil)
        #expect(JSONValue(finite: 1.5) == 1.5)
        #expect(JSONValue.array([.double(.nan), .double(-.infinity)]).serializedString() == "[null,null]")
    }

    @Test("Numbers can be read in the type that a caller needs")
    func conversions() throws {
        #expect(JSONValue.double(3.0).intValue == 3)
        #expect(JSONValue.double(3.5).intValue == nil)
        #expect(JSONValue.double(1e300).intValue == nil)
        #expect(JSONValue.double(0x1p63).intValue == nil)
        #expect(JSONValue.double(-0x1p63).intValue == Int.min)
        #expect(JSONValue.integer(3).doubleValue == 3.0)
        #expect(try JSONValue(parsing: "0.1234567890123456789").doubleValue == 0.1234567890123456789)
        #expect(try JSONValue(parsing: "1e400").doubleValue == nil)
        #expect(try JSONValue(parsing: "1e400") == JSONValue(parsing: "10e399"))
    }

    @Test("Random doubles come back bit by bit")
    func randomDoubles() throws {
        var generator = SeededGenerator(seed: 7)
        for _ in 0..<20_000 {
            let number = Double(bitPattern: generator.next())
            guard number.isFinite else { continue }
            let value = JSONValue.double(number)
            let parsed = try JSONValue(parsing: value.serialized())
            guard case .double(let again) = parsed else {
                Issue.record("\(number) became \(parsed)")
                continue
            }
            #expect(again.bitPattern == number.bitPattern)
        }
    }

    @Test("Random integers come back")
    func randomIntegers() throws {
        var generator = SeededGenerator(seed: 8)
        for _ in 0..<20_000 {
            let number = Int(truncatingIfNeeded: generator.next()) >> Int.random(in: 0..<64, using: &generator)
            #expect(try JSONValue(parsing: JSONValue.integer(number).serialized()) == .integer(number))
        }
    }
}
