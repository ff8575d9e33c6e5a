import Embedding
import Foundation
import JiraTools
import Knowledge
import Logging

extension Application {
    /// Where the embedding service is, or nothing for the model in this process.
    ///
    /// - Throws: ``StartError`` if the service's address isn't one that a key may be sent to.
    static func embeddingsConfiguration(_ settings: Settings) throws(StartError) -> RemoteEmbedderConfiguration? {
        guard let service = settings.embeddings else { return nil }
        let model = EmbeddingModel(
            name: service.model,
            dimension: service.dimension,
            maximumTokens: service.maximumTokens
        )
        let configuration = RemoteEmbedderConfiguration(baseURL: service.url, model: model, apiKey: service.apiKey)
        guard let configuration else {
            throw StartError("EMBEDDINGS_URL: a key can't be sent to this address; use https.")
        }
        return configuration
    }

    /// The embedding model in the data directory, not loaded yet, or nothing if it isn't there.
    static func embedder(_ settings: Settings, logger: Logger) -> (any Embedder)? {
        let directory = "\(settings.dataDirectory)/models/all-MiniLM-L6-v2"
        let files = ["model.safetensors", "vocab.txt"]
        guard files.allSatisfy({ FileManager.default.fileExists(atPath: "\(directory)/\($0)") }) else { return nil }
        let precision = settings.embeddingsPrecision
        return LazyEmbedder(model: MiniLMEmbedder.model, logger: logger) {
            let embedder = try MiniLMEmbedder(modelDirectory: directory, precision: precision)
            logger.debug("embedding model opened", metadata: ["precision": "\(embedder.precision.rawValue)"])
            return embedder
        }
    }

    /// Where Jira is, or nothing if there is none.
    ///
    /// - Throws: ``StartError`` if the address isn't one that a token may be sent to.
    static func jiraConfiguration(_ settings: Settings) throws(StartError) -> JiraConfiguration? {
        guard let jira = settings.jira else { return nil }
        let configuration = JiraConfiguration(
            baseURL: jira.url,
            user: jira.user,
            token: jira.token,
            projects: Set(jira.projects)
        )
        guard let configuration else { throw StartError("JIRA_URL: a token can't be sent to this address; use https.") }
        return configuration
    }

    /// How old the documents of each source may be.
    static func stalenessPolicy(_ settings: Settings) -> StalenessPolicy {
        StalenessPolicy(
            rules: settings.sources.flatMap { source in
                source.maximumAge.map { age in
                    source.patterns.map { StalenessPolicy.Rule(sources: $0, maximumAge: age / .seconds(1)) }
                } ?? []
            }
        )
    }
}
