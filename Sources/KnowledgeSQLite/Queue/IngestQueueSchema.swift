/// The tables of the ingestion queue.
enum IngestQueueSchema {
    /// A job has a receiver while files arrive.
    ///
    /// The bytes of a file are in pieces, so that none has to be in memory whole while it arrives.
    static let first = """
        CREATE TABLE ingest_jobs (
            id TEXT PRIMARY KEY NOT NULL,
            receiver TEXT,
            created_at REAL NOT NULL,
            finished_at REAL,
            cancelled INTEGER NOT NULL DEFAULT 0
        );
        CREATE INDEX ingest_jobs_finished ON ingest_jobs (finished_at);

        CREATE TABLE ingest_items (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            job_id TEXT NOT NULL REFERENCES ingest_jobs(id) ON DELETE CASCADE,
            path TEXT NOT NULL,
            state TEXT NOT NULL,
            byte_count INTEGER NOT NULL DEFAULT 0,
            attempts INTEGER NOT NULL DEFAULT 0,
            due_at REAL NOT NULL,
            worker TEXT,
            claimed_until REAL,
            outcome TEXT
        );
        CREATE INDEX ingest_items_job ON ingest_items (job_id, id);
        CREATE INDEX ingest_items_active ON ingest_items (state, due_at) WHERE state IN ('receiving', 'queued', 'running');
        CREATE INDEX ingest_items_path ON ingest_items (path, id) WHERE state IN ('queued', 'running');

        CREATE TABLE ingest_pieces (
            item_id INTEGER NOT NULL REFERENCES ingest_items(id) ON DELETE CASCADE,
            sequence INTEGER NOT NULL,
            bytes BLOB NOT NULL,
            PRIMARY KEY (item_id, sequence)
        );
        """

    /// Who takes files in has to show that it is there.
    static let receivers = "ALTER TABLE ingest_jobs ADD COLUMN receiver_until REAL NOT NULL DEFAULT 0"
}
