import Foundation
import Logging
import Testing

@testable import Telemetry

@Suite("A log record")
struct LogRecordTests {
    private func record(_ message: String, _ metadata: Logger.Metadata = [:]) -> LogRecord {
        LogRecord(
            time: Date(timeIntervalSince1970: 1_764_000_000.125),
            level: .warning,
            logger: "test",
            message: message,
            metadata: metadata
        )
    }

    private func text(_ record: LogRecord, _ format: LogFormat) -> String {
        String(decoding: record.line(format), as: UTF8.self)
    }

    @Test("is one JSON object with sorted, dotted keys and real numbers")
    func json() {
        let record = self.record(
            "hello",
            [
                "tool": ["name": "k8s", "calls": .stringConvertible(3)],
                "ok": .stringConvertible(true),
                "ratio": .stringConvertible(0.5),
                "list": ["a", .stringConvertible(2)],
                "nan": .stringConvertible(Double.nan),
            ]
        )
        #expect(
            self.text(record, .json)
                == #"{"ts":"2025-11-24T16:00:00.125Z","level":"warning","logger":"test","message":"hello","#
                + #""list":["a",2],"nan":"nan","ok":true,"ratio":0.5,"tool.calls":3,"tool.name":"k8s"}"# + "\n"
        )
    }

    @Test("never has two keys of one name")
    func reservedKeys() throws {
        let line = self.record("hello", ["level": "mine"]).line(.json)
        let object = try #require(JSONSerialization.jsonObject(with: Data(line)) as? [String: Any])
        #expect(object["level"] as? String == "warning")
        #expect(object["metadata.level"] as? String == "mine")
    }

    @Test("stays on one line and can't steer a terminal", arguments: LogFormat.allCases)
    func controlCharacters(format: LogFormat) {
        let record = self.record("one\ntwo\u{1B}[31m", ["key\n": "a\nb\u{1B}"])
        let line = record.line(format)
        #expect(line.count { $0 == UInt8(ascii: "\n") } == 1)
        #expect(line.last == UInt8(ascii: "\n"))
        #expect(!line.contains(0x1B))
    }

    @Test("quotes text values that hold spaces")
    func quoting() {
        let line = self.text(self.record("hello", ["a": "x y", "b": "z", "c": ""]), .text)
        #expect(line == "2025-11-24T16:00:00.125Z warning test: hello a=\"x y\" b=z c=\"\"\n")
    }

    @Test("cuts long values", arguments: LogFormat.allCases)
    func longValues(format: LogFormat) {
        let long = String(repeating: "é", count: 100_000)
        let line = self.text(self.record(long, ["value": .string(long)]), format)
        #expect(line.utf8.count < 2 * LogRecord.maximumValueBytes + 200)
        #expect(line.contains("é…"))
        #expect(!line.contains("\u{FFFD}"))
    }
}
