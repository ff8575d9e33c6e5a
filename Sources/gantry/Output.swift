import Foundation

/// Writes to standard output and standard error at once, so that nothing is lost when the process ends.
enum Output {
    static func line(_ text: String) {
        FileHandle.standardOutput.write(Data((text + "\n").utf8))
    }

    static func error(_ text: String) {
        FileHandle.standardError.write(Data(("gantry: " + text + "\n").utf8))
    }

    /// Whether people read standard error on a terminal.
    static var isTerminal: Bool { isatty(STDERR_FILENO) == 1 }
}
