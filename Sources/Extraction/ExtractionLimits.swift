/// The most that a file may demand of an extractor.
public struct ExtractionLimits: Sendable {
    /// The most bytes of a file that is one document.
    public var maximumFileBytes = 16 << 20

    /// The most bytes of a JSON Lines file, which holds many documents.
    public var maximumJSONLinesBytes = 64 << 20

    /// The most documents of a JSON Lines file.
    public var maximumDocuments = 100_000

    /// The most bytes of one line of a JSON Lines file.
    public var maximumLineBytes = 4 << 20

    /// The most bytes of one line of any other text.
    public var maximumTextLineBytes = 1 << 20

    /// The most lines of a text.
    public var maximumLines = 1_000_000

    /// How deep elements of HTML and of Word documents, and values of JSON, may be nested.
    public var maximumDepth = 128

    /// The most pages of a PDF document.
    public var maximumPages = 5000

    /// The most bytes that the text of a PDF document or the part of an Office document may have once it is unpacked.
    public var maximumUnpackedBytes = 64 << 20

    /// How many times larger than its packed form a part of an archive may become; parts of less than 1 MiB may always.
    public var maximumExpansion = 200

    /// The most entries of an archive.
    public var maximumArchiveEntries = 10_000

    /// How long one file may take.
    public var time = Duration.seconds(60)

    /// How many seconds of processor time a program that reads one file may use.
    public var processorSeconds = 30

    /// How many bytes of address space a program that reads one file may use.
    public var memoryBytes = 1 << 30

    /// How many files are read at the same time, whoever asks.
    public var concurrentFiles = 4

    /// Creates the defaults.
    public init() {}
}
