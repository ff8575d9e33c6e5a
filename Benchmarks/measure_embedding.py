"""Compares what embedding costs: Gantry in 32-bit floats and in the fast precision, and onnxruntime in 32-bit floats.

    measure_embedding.py EMBEDDING_BENCH MODEL_DIRECTORY [ROUNDS]

The three run in turn in each round, on one thread each for onnxruntime and on Gantry's own threads for Gantry; what is
compared is the CPU time of the whole process, and the table has the medians. Gantry's figures include its tokenizer, and
onnxruntime's do not: it gets the ids. onnxruntime fuses the graph as it does those of PyTorch (its transformers
optimizer); the better of that and the plain graph counts.
"""
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import numpy
import onnxruntime
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

import export_onnx

BENCH, MODEL = sys.argv[1:3]
ROUNDS = int(sys.argv[3]) if len(sys.argv) > 3 else 7
QUESTION = "how does the retry policy treat rate limits of the api"  # 12 tokens


class Gantry:
    def __init__(self, precision):
        self.process = subprocess.Popen([BENCH, MODEL, precision], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.start = json.loads(self.process.stdout.readline())

    def run(self, texts, calls, purpose="index"):
        self.process.stdin.write(json.dumps({"texts": texts, "calls": calls, "purpose": purpose}) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        self.memory = answer["memory"]
        return answer["cpu"] / calls, answer["wall"] / calls, numpy.array(answer["vectors"])


class OnnxRuntime:
    def __init__(self, path):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])

    def run(self, sequences, calls):
        length = max(map(len, sequences))
        ids = numpy.zeros((len(sequences), length), numpy.int64)
        mask = numpy.zeros_like(ids)
        for row, sequence in enumerate(sequences):
            ids[row, :len(sequence)], mask[row, :len(sequence)] = sequence, 1
        cpu, wall = time.process_time(), time.perf_counter()
        for _ in range(calls):
            vectors = self.session.run(None, {"input_ids": ids, "attention_mask": mask})[0]
        return (time.process_time() - cpu) / calls, (time.perf_counter() - wall) / calls, vectors


def tokenizer():
    lines = pathlib.Path(MODEL, "vocab.txt").read_text("utf-8").rstrip("\n").split("\n")
    result = Tokenizer(models.WordPiece({piece: id for id, piece in enumerate(lines)}, unk_token="[UNK]"))
    result.normalizer, result.pre_tokenizer = normalizers.BertNormalizer(), pre_tokenizers.BertPreTokenizer()
    return result


def chunks(wordpiece, count):
    """Texts of more than 254 tokens, of which both sides see 254 and the two special ones, from the project's own prose."""
    root = pathlib.Path(__file__).resolve().parent.parent
    prose = "\n".join(path.read_text("utf-8") for path in sorted(root.glob("**/*.md")) if ".build" not in path.parts)
    ids = wordpiece.encode(prose)
    starts = range(0, len(ids.ids) - 300, 300)
    texts = [prose[ids.offsets[start][0]:ids.offsets[start + 290][1]] for start in starts]
    return [text for text in texts if len(wordpiece.encode(text).ids) > 254][:count]


def main():
    wordpiece = tokenizer()
    texts = chunks(wordpiece, 32)
    sequences = [[101] + wordpiece.encode(text).ids[:254] + [102] for text in texts]
    question = [[101] + wordpiece.encode(QUESTION).ids + [102]]
    assert len(texts) == 32 and all(len(sequence) == 256 for sequence in sequences) and len(question[0]) == 14
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "model.onnx")
        export_onnx.export(os.path.join(MODEL, "model.safetensors"), path)
        start = time.process_time()
        runtime = OnnxRuntime(path)
        runtime_start = time.process_time() - start
        plain, fused = runtime, OnnxRuntime(export_onnx.fuse(path))
        # The faster of the two graphs counts.
        costs = {side: min(side.run(sequences[:1], 1)[0] for _ in range(5)) for side in (plain, fused)}
        print("onnxruntime, one chunk: plain graph %.1f ms, fused graph %.1f ms" % (costs[plain] * 1e3, costs[fused] * 1e3))
        runtime = min(costs, key=costs.get)

    sides = {"fp32": Gantry("fp32")}
    try:
        sides["fast"] = Gantry("fast")
    except json.JSONDecodeError:
        print("This processor has no fast precision.")
    cases = {
        "256 tokens, one at a time": (texts[:4], sequences[:4], "chunks"),
        "256 tokens, 32 at a time": (texts, sequences, "chunks"),
        "query of 12 tokens": ([QUESTION], question, "query"),
    }
    figures = {}
    vectors = {}
    for _ in range(ROUNDS):
        for case, (words, ids, kind) in cases.items():
            single = "one" in case
            for name, side in sides.items():
                if single:
                    runs = [side.run([text], 1) for text in words]
                    cost = [sum(run[i] for run in runs) for i in (0, 1)]
                else:
                    *cost, vectors[case, name] = side.run(words, 20 if kind == "query" else 1, "query" if kind == "query" else "index")
                figures.setdefault((case, name), []).append(cost)
            if single:
                runs = [runtime.run([sequence], 1) for sequence in ids]
                cost = [sum(run[i] for run in runs) for i in (0, 1)]
            else:
                *cost, vectors[case, "onnxruntime"] = runtime.run(ids, 20 if kind == "query" else 1)
            figures.setdefault((case, "onnxruntime"), []).append(cost)

    names = list(sides) + ["onnxruntime"]
    print(f"medians of {ROUNDS} rounds; onnxruntime {onnxruntime.__version__}, fp32, one thread")
    for case, (words, _, kind) in cases.items():
        cpu = {name: statistics.median(cost[0] for cost in figures[case, name]) for name in names}
        for name in names:
            ratio = cpu["onnxruntime"] / cpu[name]
            if kind == "chunks":
                print(f"{case:28}{name:14}{len(words) / cpu[name]:8.1f} chunks per CPU second {ratio:6.2f} x onnxruntime")
            else:
                wall = statistics.median(cost[1] for cost in figures[case, name])
                print(f"{case:28}{name:14}{cpu[name] * 1e3:8.2f} CPU ms, {wall * 1e3:.2f} ms {ratio:6.2f} x onnxruntime")
    case = "256 tokens, 32 at a time"
    for name in sides:
        cosines = (vectors[case, name] * vectors[case, "onnxruntime"]).sum(1)
        print(f"cosine of {name} with onnxruntime: least {cosines.min():.6f}, mean {cosines.mean():.6f}")
    for name, side in sides.items():
        start = side.start
        print(f"{name}: opened in {start['cpu'] * 1e3:.0f} CPU ms ({start['wall'] * 1e3:.0f} ms), "
              f"{start['memory'] >> 20} MiB resident after that, {side.memory >> 20} MiB after the work")
    print(f"onnxruntime: opened in {runtime_start * 1e3:.0f} CPU ms")


main()
