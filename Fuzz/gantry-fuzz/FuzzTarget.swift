/// What an input led to, condensed into a number: inputs with a new outcome are mutated further.
typealias Outcome = Int

/// A part of Gantry that takes bytes from strangers, and what has to hold whatever they are.
///
/// An instance belongs to one worker.
protocol FuzzTarget: Sendable {
    /// The name of the target, and of its folder in the corpus.
    static var name: String { get }
    /// Texts that mean something to the target, to be put into inputs.
    static var dictionary: [String] { get }

    init() async throws

    /// Runs one input.
    ///
    /// - Throws: ``FuzzFailure`` if something does not hold.
    func run(_ input: [UInt8]) async throws -> Outcome
}

/// What did not hold.
struct FuzzFailure: Error, CustomStringConvertible {
    var description: String
}

/// Throws unless something holds.
func expect(_ isTrue: Bool, _ message: @autoclosure () -> String) throws(FuzzFailure) {
    guard isTrue else { throw FuzzFailure(description: message()) }
}

/// Unwraps what has to be there.
func require<Value>(_ value: Value?, _ message: @autoclosure () -> String) throws(FuzzFailure) -> Value {
    guard let value else { throw FuzzFailure(description: message()) }
    return value
}

/// Every target, in the order in which they run; the slowest is the last.
let fuzzTargets: [any FuzzTarget.Type] = [
    JSONTarget.self, SchemaTarget.self, HTTPBodyTarget.self, HeadersTarget.self, StdioTarget.self,
]
