import Foundation

/// Runs a target with one or two workers, until enough inputs or enough time have passed.
struct FuzzRun: Sendable {
    /// What came out, for the table at the end.
    struct Result {
        var name: String
        var executions: Int
        var seconds: Double
        var outcomes: Int
        var startMebibytes: Int
        var warmMebibytes: Int
        var endMebibytes: Int
    }

    /// The share of a run that fills caches and the pool of inputs; growth is counted from there.
    private static let warmUp = 0.1

    var executions: Int
    var seconds: Double
    var seed: UInt64
    var jobs: Int
    var timeout: Double
    var corpus: String
    var artifacts: String

    /// Runs a target.
    ///
    /// - Throws: ``FuzzFailure``; the input that it belongs to is left in the folder for artifacts.
    func run<Target: FuzzTarget>(_ target: Target.Type) async throws -> Result {
        let seeds = try self.seeds(of: Target.name)
        try FileManager.default.createDirectory(atPath: self.artifacts, withIntermediateDirectories: true)
        var workers: [FuzzWorker<Target>] = []
        var inputs: [RunningInput] = []
        for worker in 0..<self.jobs {
            let input = try RunningInput(path: "\(self.artifacts)/\(Target.name)-\(getpid())-\(worker).input")
            inputs.append(input)
            workers.append(try await FuzzWorker(seeds: seeds, seed: self.seed &+ UInt64(worker), input: input))
        }
        let start = ContinuousClock.now
        let startMebibytes = residentMebibytes()
        let monitor = Monitor(name: Target.name, inputs: inputs, timeout: self.timeout)
        defer { monitor.stop() }
        workers = try await self.round(workers, Self.warmUp)
        let warmMebibytes = residentMebibytes()
        workers = try await self.round(workers, 1 - Self.warmUp)
        inputs.forEach { $0.remove() }
        return Result(
            name: Target.name,
            executions: monitor.executions,
            seconds: (.now - start) / .seconds(1),
            outcomes: workers.map(\.mutator.outcomeCount).max() ?? 0,
            startMebibytes: startMebibytes,
            warmMebibytes: warmMebibytes,
            endMebibytes: residentMebibytes()
        )
    }

    /// Lets all workers do a share of their work.
    private func round<Target>(_ workers: [FuzzWorker<Target>], _ share: Double) async throws -> [FuzzWorker<Target>] {
        let executions = Int((Double(self.executions) * share / Double(self.jobs)).rounded(.up))
        let end = ContinuousClock.now + .seconds(self.seconds * share)
        return try await withThrowingTaskGroup { group in
            for worker in workers {
                group.addTask {
                    var worker = worker
                    try await worker.run(executions, until: end)
                    return worker
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
    }

    /// The inputs that are checked in for a target.
    private func seeds(of name: String) throws -> [[UInt8]] {
        let folder = "\(self.corpus)/\(name)"
        let names = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
        guard names.isEmpty == false else { throw FuzzFailure(description: "There are no seeds in \(folder).") }
        return try names.map { try RunningInput.read("\(folder)/\($0)") }
    }
}
