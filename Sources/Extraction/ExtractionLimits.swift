/// The most that a file may demand of an extractor.
public struct ExtractionLimits: Sendable {
    /// The most bytes of a file that is one document.
    public var maximumFileBytes = 16 << 20

    /// The most bytes of a JSON Lines file, which holds many documents.
    public var maximumJSONLinesBytes = 256 << 20

    /// The most bytes of one line of a JSON Lines file.
    public var maximumLineBytes = 4 << 20

    /// How deep elements of HTML, and values of JSON, may be nested.
    public var maximumDepth = 128

    /// Creates the defaults.
    public init() {}
}
