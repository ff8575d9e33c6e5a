/// What a caller wants of an answer, beside the question.
///
/// Two questions with equal texts and equal options get equal answers as long as the generation of the index is the
/// same, so the two together can be the key of a cache.
public struct KnowledgeQueryOptions: Sendable, Hashable {
    /// The most passages to return.
    public var topK: Int

    /// Whether meaning, words or both lead to passages.
    public var mode: SearchMode

    /// Which documents may be found.
    public var filter: DocumentFilter

    /// The most tokens of all passages together, as the embedding model counts them; nothing for no limit.
    ///
    /// Passages are never cut: what doesn't fit is left out and listed in ``KnowledgeAnswer/omitted``.
    public var maximumTokens: Int?

    /// How many chunks before and after each hit are joined with it to one passage, from 0 to 10.
    public var neighbours: Int

    /// Whether a question that asks for several things is also searched for part by part.
    public var splitsQuestion: Bool

    /// Whether passages that say nearly the same as a better one are left out.
    public var dropsDuplicates: Bool

    /// Whether the re-ranking model, if there is one, puts the best candidates in order.
    public var reranks: Bool

    /// Creates options with the measured defaults.
    public init(
        topK: Int = 3,
        mode: SearchMode = .hybrid,
        filter: DocumentFilter = DocumentFilter(),
        maximumTokens: Int? = nil,
        neighbours: Int = 0,
        splitsQuestion: Bool = true,
        dropsDuplicates: Bool = true,
        reranks: Bool = true
    ) {
        self.topK = topK
        self.mode = mode
        self.filter = filter
        self.maximumTokens = maximumTokens
        self.neighbours = neighbours
        self.splitsQuestion = splitsQuestion
        self.dropsDuplicates = dropsDuplicates
        self.reranks = reranks
    }
}
