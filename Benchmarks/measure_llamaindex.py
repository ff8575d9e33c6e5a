"""Asks LlamaIndex's PGVectorStore the questions that knowledge-bench asked Gantry, on the same server with the same rows.

Usage: measure_llamaindex.py URL SERVER-PID QUESTIONS [--bulk]. With --bulk, only by meaning. The rows are those that
knowledge-bench has loaded.

With use_halfvec alone LlamaIndex makes its index for Euclidean distances and then asks by cosine, so that every question
reads all rows. Its option hnsw_dist_method mends that, and is used here: the index is then of the same kind as Gantry's,
with the same parameters. How often questions read it is printed.
"""

import io
import json
import os
import statistics
import sys
import time

import psycopg2
from llama_index.core.schema import TextNode
from llama_index.core.vector_stores.types import VectorStoreQuery, VectorStoreQueryMode
from llama_index.core.vector_stores.utils import node_to_metadata_dict
from llama_index.vector_stores.postgres import PGVectorStore
from sqlalchemy.engine import make_url

URL, SERVER, QUESTIONS, BULK = sys.argv[1], int(sys.argv[2]), sys.argv[3], "--bulk" in sys.argv[4:]
TICK = os.sysconf("SC_CLK_TCK")


def server_cpu():
    """CPU seconds of the server's first process and its children."""
    with open(f"/proc/{SERVER}/task/{SERVER}/children") as file:
        processes = [SERVER, *map(int, file.read().split())]
    total = 0
    for process in processes:
        try:
            with open(f"/proc/{process}/stat") as file:
                total += sum(map(int, file.read().rsplit(")", 1)[1].split()[11:15]))
        except OSError:
            pass
    return total / TICK


def store(hnsw):
    url = make_url(URL.split("?")[0])
    return PGVectorStore.from_params(
        connection_string=url.set(drivername="postgresql+psycopg2").render_as_string(hide_password=False),
        async_connection_string=url.set(drivername="postgresql+asyncpg").render_as_string(hide_password=False),
        table_name="bench",
        embed_dim=384,
        hybrid_search=True,
        use_halfvec=True,
        hnsw_kwargs=hnsw,
    )


def load():
    """Copies Gantry's chunks into LlamaIndex's table, with the metadata that it would have written itself."""
    store(None).get_nodes([""])  # Makes the table.
    with psycopg2.connect(URL) as connection:
        with connection.cursor("rows") as rows, connection.cursor() as writer:
            rows.itersize = 5000
            rows.execute(
                "SELECT document_id || ' ' || chunk_index, document_id, chunk_text, embedding::text "
                "FROM document_embeddings ORDER BY id"
            )
            while batch := rows.fetchmany(5000):
                lines = io.StringIO()
                for name, document, text, embedding in batch:
                    node = TextNode(id_=name, text=text, metadata={"document": document})
                    metadata = json.dumps(node_to_metadata_dict(node, remove_text=True, flat_metadata=False))
                    metadata = metadata.replace("\\", "\\\\")
                    lines.write(f"{text}\t{metadata}\t{name}\t{embedding}\n")
                lines.seek(0)
                writer.copy_expert("COPY data_bench (text, metadata_, node_id, embedding) FROM STDIN", lines)


def index_scans():
    """How many times LlamaIndex's vector index has been read."""
    with psycopg2.connect(URL) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT idx_scan FROM pg_stat_user_indexes WHERE indexrelname = 'data_bench_embedding_idx'")
        return cursor.fetchone()[0]


def measure(target, questions, mode, width):
    times, latencies, recalls = [], [], []
    before = server_cpu()
    for question in questions:
        cpu, start = time.process_time(), time.perf_counter()
        result = target.query(
            VectorStoreQuery(
                query_embedding=question["vector"],
                query_str=question["text"],
                similarity_top_k=10,
                sparse_top_k=10,
                mode=mode,
            ),
            hnsw_ef_search=width,
        )
        times.append((time.process_time() - cpu) * 1000)
        latencies.append((time.perf_counter() - start) * 1000)
        if mode == VectorStoreQueryMode.DEFAULT and question["nearest"]:
            recalls.append(len(set(question["nearest"]) & set(result.ids)) / 10)
    server = (server_cpu() - before) * 1000 / len(questions)
    latencies.sort()
    times.sort()
    recall = f"{statistics.mean(recalls):.3f}" if recalls else "-"
    print(
        f"LlamaIndex {mode.value}, ef_search {width}\tclient p50 {times[len(times) // 2]:.2f} ms\t"
        f"client p95 {times[len(times) * 95 // 100]:.2f} ms\tserver mean {server:.2f} ms\t"
        f"wall p50 {latencies[len(latencies) // 2]:.2f} ms\twall p95 {latencies[len(latencies) * 95 // 100]:.2f} ms\t"
        f"recall@10 {recall}",
        flush=True,
    )


def main():
    with open(QUESTIONS) as file:
        questions = [json.loads(line) for line in file]
    load()
    before = server_cpu()
    target = store(
        {
            "hnsw_m": 16,
            "hnsw_ef_construction": 64,
            "hnsw_ef_search": 40,
            "hnsw_dist_method": "halfvec_cosine_ops",
        }
    )
    target.query(VectorStoreQuery(query_embedding=questions[0]["vector"], similarity_top_k=1))
    with psycopg2.connect(URL) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM data_bench")
        count = cursor.fetchone()[0]
        print(f"{count} chunks; index built in {server_cpu() - before:.1f} CPU s of the server", flush=True)
        cursor.execute("ANALYZE data_bench")
    modes = [VectorStoreQueryMode.DEFAULT] + ([] if BULK else [VectorStoreQueryMode.HYBRID])
    widths = (40, 100, 200, 400)
    for mode in modes:
        for width in widths:
            target.query(VectorStoreQuery(query_embedding=questions[0]["vector"], query_str="a", similarity_top_k=1))
            measure(target, questions, mode, width)
    target._engine.dispose()  # A server process tells of its scans at the latest when it ends.
    time.sleep(1)
    asked = len(modes) * len(widths) * (len(questions) + 1)
    print(f"LlamaIndex's vector index was read {index_scans()} times for {asked} questions")


main()
