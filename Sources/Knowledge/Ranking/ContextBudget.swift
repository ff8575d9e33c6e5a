/// Fits passages into the room that the reader has for them.
struct ContextBudget {
    let maximumTokens: Int?

    /// Divides passages, best first, into those that fit together and those that don't.
    ///
    /// None is cut: half a passage is where wrong answers come from. One that is too long is passed over, and a shorter
    /// one behind it may still fit.
    func pack(_ passages: [SearchResult]) -> (results: [SearchResult], omitted: [SearchResult]) {
        guard let maximumTokens else { return (passages, []) }
        var results: [SearchResult] = []
        var omitted: [SearchResult] = []
        var room = maximumTokens
        for passage in passages {
            if passage.tokenCount <= room {
                results.append(passage)
                room -= passage.tokenCount
            } else {
                omitted.append(passage)
            }
        }
        return (results, omitted)
    }
}
