import GRDB

/// The numbered steps that bring a database file to the present schema.
///
/// They only go forward.
enum KnowledgeMigrations {
    static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("001-documents") { database in try database.execute(sql: Self.documents) }
        migrator.registerMigration("002-filters-and-reindexing") { database in
            try database.execute(sql: Self.filtersAndReindexing)
        }
        migrator.registerMigration("ingest-queue-001") { database in try database.execute(sql: IngestQueueSchema.first)
        }
        migrator.registerMigration("003-feedback-and-freshness") { database in
            try database.execute(sql: Self.feedbackAndFreshness)
        }
        migrator.registerMigration("004-queue-receivers") { database in
            try database.execute(sql: IngestQueueSchema.receivers)
        }
        migrator.registerMigration("005-filter-index") { database in try database.execute(sql: Self.filterIndex) }
        return migrator
    }

    /// The first schema.
    ///
    /// `document_embeddings_fts` keeps no text of its own: it reads that of `document_embeddings`, and the triggers,
    /// which cascading deletes set off too, keep the two in step. `index_changes` has a row per change, whose number
    /// is the generation; the vectors in memory catch up by it. Identifiers are never used again (AUTOINCREMENT), so
    /// that a number in memory can't come to mean another chunk.
    private static let documents = """
        CREATE TABLE documents (
            id TEXT PRIMARY KEY NOT NULL,
            source TEXT NOT NULL,
            title TEXT NOT NULL,
            content TEXT NOT NULL,
            metadata TEXT NOT NULL,
            content_hash TEXT NOT NULL,
            model_name TEXT,
            chunk_count INTEGER NOT NULL,
            created_at REAL NOT NULL,
            updated_at REAL NOT NULL,
            source_updated_at REAL
        );

        CREATE TABLE document_embeddings (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            document_id TEXT NOT NULL REFERENCES documents(id) ON DELETE CASCADE,
            chunk_index INTEGER NOT NULL,
            chunk_text TEXT NOT NULL,
            context TEXT NOT NULL,
            heading_path TEXT NOT NULL,
            identifiers TEXT NOT NULL,
            span_start INTEGER NOT NULL,
            span_end INTEGER NOT NULL,
            embedding BLOB,
            created_at REAL NOT NULL,
            UNIQUE (document_id, chunk_index)
        );

        CREATE VIRTUAL TABLE document_embeddings_fts USING fts5(
            context, chunk_text, identifiers,
            content = 'document_embeddings', content_rowid = 'id',
            tokenize = 'porter unicode61 remove_diacritics 2'
        );

        CREATE TRIGGER document_embeddings_inserted AFTER INSERT ON document_embeddings BEGIN
            INSERT INTO document_embeddings_fts (rowid, context, chunk_text, identifiers)
            VALUES (new.id, new.context, new.chunk_text, new.identifiers);
        END;

        CREATE TRIGGER document_embeddings_deleted AFTER DELETE ON document_embeddings BEGIN
            INSERT INTO document_embeddings_fts (document_embeddings_fts, rowid, context, chunk_text, identifiers)
            VALUES ('delete', old.id, old.context, old.chunk_text, old.identifiers);
        END;

        CREATE TABLE index_state (
            id INTEGER PRIMARY KEY CHECK (id = 1),
            model_name TEXT,
            model_dimension INTEGER,
            document_count INTEGER NOT NULL DEFAULT 0,
            chunk_count INTEGER NOT NULL DEFAULT 0,
            vector_count INTEGER NOT NULL DEFAULT 0
        );
        INSERT INTO index_state (id) VALUES (1);

        CREATE TABLE index_changes (
            generation INTEGER PRIMARY KEY AUTOINCREMENT,
            document_id TEXT NOT NULL,
            removed_first INTEGER,
            removed_last INTEGER
        );
        """

    /// Access labels (a JSON array of strings), the number of a document's first chunk (the others follow it, because one
    /// transaction writes them), fingerprints of embedded texts, and vectors of the model that is to serve next.
    private static let filtersAndReindexing = """
        ALTER TABLE documents ADD COLUMN access_labels TEXT NOT NULL DEFAULT '[]';
        ALTER TABLE documents ADD COLUMN first_chunk INTEGER;
        UPDATE documents SET first_chunk = (
            SELECT min(e.id) FROM document_embeddings e WHERE e.document_id = documents.id);

        ALTER TABLE document_embeddings ADD COLUMN text_hash BLOB;
        CREATE INDEX document_embeddings_text_hash ON document_embeddings(text_hash) WHERE text_hash IS NOT NULL;

        ALTER TABLE index_state ADD COLUMN next_model_name TEXT;
        ALTER TABLE index_state ADD COLUMN next_model_dimension INTEGER;
        CREATE TABLE next_embeddings (
            chunk_id INTEGER PRIMARY KEY REFERENCES document_embeddings(id) ON DELETE CASCADE,
            embedding BLOB NOT NULL
        );
        """

    /// All that a filter looks at, in the order in which the chunks are wanted.
    ///
    /// In the table, these columns lie before and behind the text of the document, so reading them takes the pages of the
    /// whole text: at 100,000 chunks that was most of the time of a search.
    private static let filterIndex = """
        CREATE INDEX documents_filter ON documents(
            first_chunk, chunk_count, metadata, access_labels, source, source_updated_at, updated_at)
            WHERE first_chunk IS NOT NULL;
        """

    /// Opinions about answers, one row for each principal and thing, and when documents were last found unchanged.
    private static let feedbackAndFreshness = """
        CREATE TABLE knowledge_feedback (
            key TEXT PRIMARY KEY NOT NULL,
            verdict TEXT NOT NULL,
            query TEXT,
            answer_id TEXT,
            document_id TEXT,
            comment TEXT,
            principal TEXT NOT NULL,
            created_at REAL NOT NULL
        );
        CREATE INDEX knowledge_feedback_created_at ON knowledge_feedback(created_at);

        CREATE TABLE document_checks (
            document_id TEXT PRIMARY KEY NOT NULL REFERENCES documents(id) ON DELETE CASCADE,
            checked_at REAL NOT NULL
        );
        """
}
