import Foundation
public import Logging

/// A log handler that renders each record as one line and gives it to a ``LineWriter``.
public struct LineLogHandler: LogHandler {
    public var logLevel: Logger.Level
    public var metadata: Logger.Metadata = [:]
    public var metadataProvider: Logger.MetadataProvider?

    private let label: String
    private let format: LogFormat
    private let writer: LineWriter
    private let now: @Sendable () -> Date

    /// Creates a handler.
    ///
    /// - Parameters:
    ///   - label: The name of the logger.
    ///   - level: The least important level to write.
    ///   - format: How a line looks.
    ///   - writer: Where the lines go.
    public init(label: String, level: Logger.Level, format: LogFormat, writer: LineWriter) {
        self.init(label: label, level: level, format: format, writer: writer, now: { Date() })
    }

    init(
        label: String,
        level: Logger.Level,
        format: LogFormat,
        writer: LineWriter,
        now: @escaping @Sendable () -> Date
    ) {
        self.label = label
        self.logLevel = level
        self.format = format
        self.writer = writer
        self.now = now
    }

    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { self.metadata[key] }
        set { self.metadata[key] = newValue }
    }

    public func log(event: LogEvent) {
        var metadata = self.metadata
        if let provided = self.metadataProvider?.get() {
            metadata.merge(provided) { _, new in new }
        }
        if let own = event.metadata {
            metadata.merge(own) { _, new in new }
        }
        if let error = event.error {
            metadata["error"] = "\(error)"
        }
        let record = LogRecord(
            time: self.now(),
            level: event.level,
            logger: self.label,
            message: event.message.description,
            metadata: metadata
        )
        self.writer.write(record.line(self.format))
    }
}
