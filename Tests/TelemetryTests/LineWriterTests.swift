import Foundation
import Testing

@testable import Telemetry

@Suite("A line writer")
struct LineWriterTests {
    private func writer(_ pipe: Pipe, capacity: Int = 1 << 20) -> LineWriter {
        LineWriter(descriptor: pipe.fileHandleForWriting.fileDescriptor, capacity: capacity) { count in
            Array("dropped \(count)\n".utf8)
        }
    }

    @Test("keeps the lines of each caller whole and in order")
    func order() async throws {
        let pipe = Pipe()
        let writer = self.writer(pipe)
        let output = PipeOutput(of: pipe)
        await withTaskGroup(of: Void.self) { group in
            for caller in 0..<4 {
                group.addTask {
                    for index in 0..<500 {
                        writer.write(Array("\(caller) \(index) \(String(repeating: "x", count: 100))\n".utf8))
                    }
                }
            }
        }
        #expect(writer.flush(timeout: 10))
        try pipe.fileHandleForWriting.close()
        let lines = String(decoding: await output.data, as: UTF8.self).split(separator: "\n")
        #expect(lines.count == 2000)
        for caller in 0..<4 {
            let own = lines.filter { $0.hasPrefix("\(caller) ") }.map { $0.split(separator: " ")[1] }
            #expect(own == (0..<500).map { Substring(String($0)) })
        }
        #expect(lines.allSatisfy { $0.hasSuffix(String(repeating: "x", count: 100)) })
    }

    @Test("drops and counts lines while nobody reads, and never waits")
    func blockedReader() async throws {
        let pipe = Pipe()
        let writer = self.writer(pipe, capacity: 10_000)
        let line = Array((String(repeating: "x", count: 99) + "\n").utf8)
        var fillers = 0
        while writer.flush(timeout: 0.05) {
            writer.write(line)
            fillers += 1
        }
        let start = ContinuousClock.now
        for _ in 0..<10_000 { writer.write(line) }
        #expect(ContinuousClock.now - start < .seconds(5))

        let output = PipeOutput(of: pipe)
        #expect(writer.flush(timeout: 10))
        try pipe.fileHandleForWriting.close()
        let lines = String(decoding: await output.data, as: UTF8.self).split(separator: "\n")
        let written = lines.count { $0.hasPrefix("x") }
        let dropped = lines.compactMap { $0.hasPrefix("dropped ") ? Int($0.dropFirst(8)) : nil }.reduce(0, +)
        #expect(dropped > 0)
        #expect(written + dropped == 10_000 + fillers)
    }
}

/// Reads a pipe to its end on a thread of its own: the writer under test blocks, and so does reading.
private final class PipeOutput: Sendable {
    private let stream: AsyncStream<Data>

    init(of pipe: Pipe) {
        let (stream, continuation) = AsyncStream.makeStream(of: Data.self)
        self.stream = stream
        let input = pipe.fileHandleForReading
        Thread.detachNewThread {
            continuation.yield((try? input.readToEnd()) ?? Data())
            continuation.finish()
        }
    }

    var data: Data {
        get async {
            var all = Data()
            for await data in self.stream { all += data }
            return all
        }
    }
}
