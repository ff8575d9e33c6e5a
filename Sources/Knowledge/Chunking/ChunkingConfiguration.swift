/// How documents are split into chunks.
///
/// All sizes are in tokens of the embedding model.
public struct ChunkingConfiguration: Sendable, Hashable {
    /// The most tokens of a chunk's text.
    public var windowTokens = 230

    /// The most tokens of a chunk's text together with the title and headings before it: not more than the embedding
    /// model reads, so that nothing is cut off.
    public var totalTokens = 254

    /// How many tokens of a chunk are repeated at the start of the next one of the same section.
    public var overlapTokens = 40

    /// A section shorter than this is joined with the one after it.
    public var minimumTokens = 60

    /// Source code is cut at a symbol only if this much is before it, so that short functions stay together.
    public var minimumSymbolTokens = 120

    /// The most tokens of title and headings that are put before the text.
    public var contextTokens = 48

    /// The most chunks of one document; a longer one is refused.
    public var maximumChunks = 20_000

    /// Creates the measured defaults.
    public init() {}

    /// Says in one line what chunks depend on, so that changed settings count as a changed document.
    var fingerprint: String {
        "chunker 3; \(self.windowTokens) \(self.totalTokens) \(self.overlapTokens) \(self.minimumTokens) "
            + "\(self.minimumSymbolTokens) \(self.contextTokens)"
    }
}
