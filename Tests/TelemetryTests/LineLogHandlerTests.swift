import Foundation
import Logging
import Testing

@testable import Telemetry

@Suite("A line log handler")
struct LineLogHandlerTests {
    @Test("merges metadata, the most specific last, and leaves out what is below its level")
    func metadata() throws {
        let pipe = Pipe()
        let writer = LineWriter(descriptor: pipe.fileHandleForWriting.fileDescriptor) { _ in [] }
        var logger = Logger(label: "test") { label in
            var handler = LineLogHandler(label: label, level: .info, format: .json, writer: writer)
            handler.metadataProvider = Logger.MetadataProvider { ["a": "provider", "b": "provider", "c": "provider"] }
            return handler
        }
        logger[metadataKey: "a"] = "logger"
        logger[metadataKey: "b"] = "logger"
        logger.debug("not written")
        logger.info("written", metadata: ["b": "call"])
        #expect(writer.flush(timeout: 10))
        try pipe.fileHandleForWriting.close()
        let output = try #require(try pipe.fileHandleForReading.readToEnd())
        let object = try #require(JSONSerialization.jsonObject(with: output) as? [String: String])
        #expect(object["message"] == "written")
        #expect(object["a"] == "provider")
        #expect(object["b"] == "call")
        #expect(object["c"] == "provider")
    }
}
