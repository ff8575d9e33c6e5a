import ArgumentParser
import Extraction
import Foundation

/// Reads one file from standard input and writes the document in it to standard output.
///
/// The program starts itself with it, under limits on time and memory; it isn't for people.
struct ExtractWorkerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: ExtractionWorker.argument,
        abstract: "Read one file in a process of its own.",
        shouldDisplay: false
    )

    @Argument var path: String

    func run() throws {
        let bytes = try FileHandle.standardInput.readToEnd() ?? Data()
        try FileHandle.standardOutput.write(
            contentsOf: Data(ExtractionWorker.answer(to: Array(bytes), path: self.path))
        )
    }
}
