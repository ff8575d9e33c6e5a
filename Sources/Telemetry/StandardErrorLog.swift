import Foundation
public import Logging

/// The log of a program on its standard error.
///
/// Standard output is never touched: over stdio it belongs to the protocol.
public struct StandardErrorLog: Sendable {
    private let writer: LineWriter
    private let format: LogFormat
    private let level: Logger.Level

    /// Creates the log, without making it the log of the whole program.
    ///
    /// - Parameters:
    ///   - level: The least important level to write.
    ///   - format: How a line looks. Without one, text on a terminal and JSON elsewhere.
    public init(level: Logger.Level, format: LogFormat? = nil) {
        let format = format ?? (isatty(STDERR_FILENO) == 1 ? .text : .json)
        self.level = level
        self.format = format
        self.writer = LineWriter(descriptor: STDERR_FILENO) { count in
            LogRecord(
                time: Date(),
                level: .warning,
                logger: "gantry.log",
                message: "Log lines were dropped because nobody read standard error.",
                metadata: ["log.dropped": .stringConvertible(count)]
            ).line(format)
        }
    }

    /// A logger that writes here.
    public func logger(label: String) -> Logger {
        Logger(label: label) { label in
            LineLogHandler(label: label, level: self.level, format: self.format, writer: self.writer)
        }
    }

    /// Makes this the log of every logger in the program.
    ///
    /// Call it once, from the program itself, never from a library.
    public func bootstrap() {
        LoggingSystem.bootstrap { label in
            LineLogHandler(label: label, level: self.level, format: self.format, writer: self.writer)
        }
    }

    /// Waits until what was logged is written.
    ///
    /// Call it before the program ends.
    ///
    /// - Parameter seconds: How long to wait at most: nobody may be reading.
    public func flush(timeout seconds: Double = 1) {
        self.writer.flush(timeout: seconds)
    }
}
