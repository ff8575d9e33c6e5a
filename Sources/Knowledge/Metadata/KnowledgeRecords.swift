/// What a store keeps beside documents and their chunks: selection by metadata, feedback, checks, changes.
public typealias KnowledgeRecords = MetadataStore & FeedbackStore & FreshnessStore & IndexChangeLog
