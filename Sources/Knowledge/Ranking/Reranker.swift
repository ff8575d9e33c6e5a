/// A model that reads a question together with each passage and says how well the passage answers.
///
/// It is more exact than comparing vectors, and costs a call for each query.
public protocol Reranker: Sendable {
    /// What the model is called in notices.
    var name: String { get }

    /// Returns one score for each passage, in the order of the passages; higher is better.
    ///
    /// - Throws: What the model throws; the order of the search stays then, and the answer says so.
    func scores(query: String, passages: [String]) async throws -> [Double]
}
