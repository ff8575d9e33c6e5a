import Foundation

/// One of the workers of a run, with its own target, its own inputs and its own random numbers.
struct FuzzWorker<Target: FuzzTarget>: Sendable {
    private(set) var mutator: Mutator
    private let target: Target
    private let input: RunningInput

    init(seeds: [[UInt8]], seed: UInt64, input: RunningInput) async throws {
        self.mutator = Mutator(seeds: seeds, dictionary: Target.dictionary, seed: seed)
        self.target = try await Target()
        self.input = input
    }

    /// Runs inputs until there were enough or the time is over.
    mutating func run(_ executions: Int, until end: ContinuousClock.Instant) async throws {
        for _ in 0..<executions where ContinuousClock.now < end {
            let bytes = self.mutator.next()
            self.input.begin(bytes)
            do {
                self.mutator.learn(bytes, try await self.target.run(bytes))
            } catch {
                throw FuzzFailure(description: "\(Target.name): \(error) The input is in \(self.input.path)")
            }
            self.input.end()
        }
    }
}
