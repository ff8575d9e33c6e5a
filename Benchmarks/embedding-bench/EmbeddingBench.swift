import Embedding
import Foundation
import JSON
import Knowledge

/// Embeds texts and tells what it cost: what Benchmarks/measure_embedding.py compares with onnxruntime.
///
///     embedding-bench MODEL_DIRECTORY PRECISION
///
/// Each line on standard input is `{"texts": […], "calls": n, "purpose": "query"|"index"}`; the answer is one line with
/// `cpu` (seconds of all threads for all calls), `wall` and `vectors`.
@main
struct EmbeddingBench {
    static func main() async throws {
        let arguments = CommandLine.arguments
        guard arguments.count == 3, let precision = MiniLMEmbedder.Precision(rawValue: arguments[2]) else {
            FileHandle.standardError.write(Data("usage: embedding-bench MODEL_DIRECTORY auto|fp32|fast\n".utf8))
            exit(2)
        }
        let start = (cpu: Self.cpu(), wall: ContinuousClock.now)
        let embedder = try MiniLMEmbedder(modelDirectory: arguments[1], precision: precision)
        Self.answer([
            "precision": .string(embedder.precision.rawValue),
            "cpu": .double(Self.cpu() - start.cpu),
            "wall": .double(Self.seconds(since: start.wall)),
            "memory": .integer(Self.residentBytes()),
        ])
        while let line = readLine() {
            let request = try JSONValue(parsing: Array(line.utf8))
            let texts = (request["texts"]?.arrayValue ?? []).compactMap(\.stringValue)
            let purpose: EmbeddingPurpose = request["purpose"] == "query" ? .query : .index
            var vectors: [[Float]] = []
            let start = (cpu: Self.cpu(), wall: ContinuousClock.now)
            for _ in 0..<max(1, request["calls"]?.intValue ?? 1) {
                vectors = try await embedder.embed(texts, for: purpose)
            }
            let (cpu, wall) = (Self.cpu() - start.cpu, Self.seconds(since: start.wall))
            Self.answer([
                "cpu": .double(cpu),
                "wall": .double(wall),
                "memory": .integer(Self.residentBytes()),
                "vectors": .array(vectors.map { .array($0.map { .double(Double($0)) }) }),
            ])
        }
    }

    private static func answer(_ value: JSONValue) {
        FileHandle.standardOutput.write(Data(value.serialized() + [0x0a]))
    }

    /// The CPU time of all threads of this process, in seconds.
    private static func cpu() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }

    private static func seconds(since start: ContinuousClock.Instant) -> Double {
        let passed = start.duration(to: .now).components
        return Double(passed.seconds) + Double(passed.attoseconds) * 1e-18
    }

    /// What of this process is in memory.
    private static func residentBytes() -> Int {
        let fields = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8))?.split(separator: " ") ?? []
        return (fields.count > 1 ? Int(fields[1]) ?? 0 : 0) * Int(getpagesize())
    }
}
