import ArgumentParser
import Foundation

/// Feeds damaged inputs to the parts of Gantry that read what strangers send.
@main
struct GantryFuzz: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "gantry-fuzz",
        abstract: "Feed damaged inputs to the parts of Gantry that read what strangers send.",
        discussion: """
            After a crash, a hang or a failure, the input is in the folder for artifacts; --replay runs it again. With \
            one job, a seed always leads to the same inputs.
            """
    )

    @Option(help: "json, schema, stdio, http-body, headers or all.")
    var target = "all"

    @Option(help: "How many inputs each target gets.")
    var executions = 2_000_000

    @Option(help: "How long each target runs at most.")
    var seconds = 86_400.0

    @Option(help: "Where the random numbers begin.")
    var seed: UInt64 = .random(in: 0...UInt64(UInt32.max))

    @Option(help: "How many workers run side by side: 1 or 2.")
    var jobs = 1

    @Option(help: "How many seconds one input may take.")
    var timeout = 2.0

    @Option(help: "By how many MiB the memory may grow while a target runs, once it is warm.")
    var growth = 64

    @Option(help: "The folder with a folder of seeds for each target.")
    var corpus = "Fuzz/Corpus"

    @Option(help: "The folder for inputs that fail.")
    var artifacts = ".build/fuzz"

    @Option(help: "An input to run once, instead of all others.")
    var replay: String?

    func run() async throws {
        let targets = fuzzTargets.filter { self.target == "all" || $0.name == self.target }
        if let replay {
            guard let target = targets.first, targets.count == 1 else {
                throw ValidationError("--replay needs one --target.")
            }
            print("outcome", try await target.init().run(try RunningInput.read(replay)))
            return
        }
        report("seed \(self.seed), \(self.jobs) worker(s)")
        var results: [FuzzRun.Result] = []
        for target in targets {
            results.append(try await self.fuzzRun.run(target))
        }
        self.printTable(results)
        let grown = results.filter { $0.endMebibytes - $0.warmMebibytes > self.growth }
        guard grown.isEmpty else {
            throw FuzzFailure(
                description: "Grown by more than \(self.growth) MiB: \(grown.map(\.name).joined(separator: ", "))"
            )
        }
        print("\(results.reduce(0) { $0 + $1.executions }) executions without a crash, a hang, a failure or growth")
    }

    func validate() throws {
        guard self.target == "all" || fuzzTargets.contains(where: { $0.name == self.target }) else {
            throw ValidationError("There is no target \(self.target).")
        }
        guard (1...2).contains(self.jobs), self.executions > 0, self.seconds > 0 else {
            throw ValidationError("There are 1 or 2 jobs, and there is something to run.")
        }
    }

    private var fuzzRun: FuzzRun {
        FuzzRun(
            executions: self.executions,
            seconds: self.seconds,
            seed: self.seed,
            jobs: self.jobs,
            timeout: self.timeout,
            corpus: self.corpus,
            artifacts: self.artifacts
        )
    }

    private func printTable(_ results: [FuzzRun.Result]) {
        func row(_ cells: [String]) {
            print(cells.map { String(repeating: " ", count: max(0, 12 - $0.count)) + $0 }.joined())
        }
        row(["target", "executions", "seconds", "exec/s", "outcomes", "MiB start", "warm", "end"])
        for result in results {
            row([
                result.name, "\(result.executions)", "\(Int(result.seconds))",
                "\(Int(Double(result.executions) / result.seconds))", "\(result.outcomes)",
                "\(result.startMebibytes)", "\(result.warmMebibytes)", "\(result.endMebibytes)",
            ])
        }
    }
}
