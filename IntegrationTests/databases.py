"""The databases that a Gantry may keep its documents in, so that a test runs against each and can look inside."""

import sqlite3
import uuid
from contextlib import contextmanager
from urllib.parse import quote

import psycopg2

from environment import needed


class SQLite:
    """The file in the data directory."""

    name = "sqlite"

    def __init__(self, directory):
        self.path = f"{directory}/knowledge.sqlite"
        # Gantry's settings that lead to it.
        self.settings = {}

    @contextmanager
    def snapshot(self):
        """What is there at one moment: a function that runs a query and returns all rows."""
        store = sqlite3.connect(f"file:{self.path}?mode=ro", uri=True, timeout=30)
        try:
            store.execute("BEGIN")
            yield lambda sql, *values: store.execute(sql, values).fetchall()
        finally:
            store.close()

    def check(self):
        store = sqlite3.connect(self.path, timeout=30)
        assert store.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        store.close()

    def drop(self):
        pass


class Postgres:
    """A schema of its own in the database of TEST_POSTGRES_URL."""

    name = "postgres"

    def __init__(self, directory):
        self.server = needed("TEST_POSTGRES_URL")
        self.schema = f"test_{uuid.uuid4().hex}"
        self.execute(f"CREATE SCHEMA {self.schema}")
        separator = "&" if "?" in self.server else "?"
        self.url = f"{self.server}{separator}options={quote(f'-csearch_path={self.schema},public')}"
        self.settings = {"DATABASE_URL": self.url}

    def execute(self, sql):
        connection = psycopg2.connect(self.server)
        connection.autocommit = True
        connection.cursor().execute(sql)
        connection.close()

    @contextmanager
    def snapshot(self):
        connection = psycopg2.connect(self.url)
        connection.set_session("REPEATABLE READ", readonly=True)
        cursor = connection.cursor()

        def fetch(sql, *values):
            cursor.execute(sql.replace("?", "%s"), values)
            return cursor.fetchall()

        try:
            yield fetch
        finally:
            connection.close()

    def check(self):
        with self.snapshot() as fetch:
            # The full-text index is in tables of our own.
            assert not fetch("""
                SELECT 1 FROM (SELECT id, unnest(term_ids) AS term_id FROM document_embeddings) e
                FULL JOIN postings p ON p.chunk_id = e.id AND p.term_id = e.term_id
                WHERE p.chunk_id IS NULL OR e.id IS NULL LIMIT 1
            """)
            assert not fetch("""
                SELECT 1 FROM terms t LEFT JOIN (SELECT term_id, count(*) AS n FROM postings GROUP BY term_id) p
                ON p.term_id = t.id WHERE t.chunk_frequency <> coalesce(p.n, 0) LIMIT 1
            """)

    def drop(self):
        # Sessions of a process that was killed may still hold locks for a moment.
        self.execute(f"DROP SCHEMA {self.schema} CASCADE")


DATABASES = [SQLite, Postgres]


def assert_whole(database):
    """No document lacks chunks or full-text entries, and no chunk lacks its document."""
    database.check()
    with database.snapshot() as fetch:
        assert not fetch("""
            SELECT d.id FROM documents d LEFT JOIN document_embeddings e ON e.document_id = d.id
            GROUP BY d.id, d.chunk_count
            HAVING count(e.id) <> d.chunk_count OR count(e.id) <> coalesce(max(e.chunk_index), -1) + 1
        """)
        assert not fetch("SELECT 1 FROM document_embeddings WHERE document_id NOT IN (SELECT id FROM documents)")
        counts = fetch("""
            SELECT (SELECT count(*) FROM documents), (SELECT count(*) FROM document_embeddings),
                (SELECT count(*) FROM document_embeddings WHERE embedding IS NOT NULL)
        """)
        assert counts == fetch("SELECT document_count, chunk_count, vector_count FROM index_state")
