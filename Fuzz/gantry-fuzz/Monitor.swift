import Foundation
import Synchronization

/// A thread that ends the process when one input takes too long, and says from time to time how far the run is.
final class Monitor: Sendable {
    private static let reportSeconds = 5.0

    private let name: String
    private let inputs: [RunningInput]
    private let timeout: Double
    private let isDone = Atomic(false)

    init(name: String, inputs: [RunningInput], timeout: Double) {
        self.name = name
        self.inputs = inputs
        self.timeout = timeout
        let thread = Thread { [self] in self.watch() }
        thread.name = "fuzz-monitor"
        thread.start()
    }

    /// How many inputs have been run.
    var executions: Int { self.inputs.reduce(0) { $0 + $1.executions.load(ordering: .relaxed) } }

    func stop() { self.isDone.store(true, ordering: .relaxed) }

    private func watch() {
        let start = Date.now
        var reported = start
        while self.isDone.load(ordering: .relaxed) == false {
            Thread.sleep(forTimeInterval: 0.1)
            for input in self.inputs {
                let startedAt = input.startedAt.load(ordering: .acquiring)
                let now = DispatchTime.now().uptimeNanoseconds
                if startedAt != 0, now > startedAt, Double(now - startedAt) > self.timeout * 1e9 {
                    report("\(self.name): an input takes more than \(self.timeout) s; it is in \(input.path)")
                    abort()
                }
            }
            if -reported.timeIntervalSinceNow >= Self.reportSeconds {
                reported = .now
                let rate = Double(self.executions) / -start.timeIntervalSinceNow
                report("\(self.name): \(self.executions) executions, \(Int(rate))/s, \(residentMebibytes()) MiB")
            }
        }
    }
}

/// Writes a line to standard error, at once.
func report(_ line: String) {
    FileHandle.standardError.write(Data("\(line)\n".utf8))
}

/// How much memory the process holds.
func residentMebibytes() -> Int {
    // The file says that it is empty, so that it has to be read to its end.
    let bytes = (try? FileHandle(forReadingAtPath: "/proc/self/statm")?.readToEnd()) ?? Data()
    let fields = String(decoding: bytes, as: UTF8.self).split(separator: " ")
    return fields.count > 1 ? (Int(fields[1]) ?? 0) * sysconf(Int32(_SC_PAGESIZE)) / (1 << 20) : 0
}
