#!/usr/bin/env python3
"""Makes the reference that EmbeddingTests compares with, from the same weights run by PyTorch and transformers.

  python3 -m venv /tmp/reference && /tmp/reference/bin/pip install torch transformers
  /tmp/reference/bin/python Scripts/reference-embeddings.py WHEEL_MODEL_DIRECTORY Tests/EmbeddingTests/Fixtures

Writes texts.json (200 texts with their token ids) and reference.json (the vectors of every tenth text), and prints one
line per vector of the other texts to all.jsonl beside them when --all FILE is given.
"""
import json
import random
import sys

import torch
from transformers import AutoTokenizer, BertModel

WORDS = ("pipeline deploys replica Kubernetes naïve café Zürich résumé 日本語 東京 한국어 안녕하세요 Привет мир "
         "snake_case camelCase HTTPServer x=1; a->b 3.14159 10,000 🚀 👩‍👩‍👧 ½ ﬁne ① é ñ Å İstanbul "
         "don't U.S.A. https://example.com/a?b=c#d {\"json\": [1, 2]} ﷺ عربي עברית ไทย ∑∫√ — “quoted” … \t \u00a0 "
         "supercalifragilisticexpialidocious authentication retrieval-augmented").split(" ")
EDGES = ["", " ", "\n", ".", "a", "This is an example sentence", "\u0000zero\u0007bell", "x" * 101, "x" * 100,
         "\ufeffbom", "e\u0301 combining", "ＦＵＬＬ width", "\U0001f468\u200d\U0001f4bb", "the " * 600, "漢" * 300,
         "func call(_ a: Int) -> String { \"\\(a)\" }", "ǅ ǆ ß ẞ ſ", "\u1e9b\u0323", "\ud7a3\uac00", "¡¿«»"]


def texts():
    rnd = random.Random(7)
    result = list(EDGES)
    while len(result) < 200:
        result.append(" ".join(rnd.choice(WORDS) for _ in range(rnd.choice([3, 8, 20, 60, 120, 300]))))
    return result


def main():
    model_directory, fixtures = sys.argv[1:3]
    tokenizer = AutoTokenizer.from_pretrained(model_directory)
    tokenizer.backend_tokenizer.no_padding()
    tokenizer.backend_tokenizer.no_truncation()
    model = BertModel.from_pretrained(model_directory).eval()
    all_texts, ids, vectors = texts(), [], []
    with torch.no_grad():
        for text in all_texts:
            tokens = tokenizer.backend_tokenizer.encode(text, add_special_tokens=False).ids[:254]
            ids.append(tokens)
            batch = torch.tensor([[101] + tokens + [102]])
            hidden = model(input_ids=batch).last_hidden_state[0].mean(0)
            vectors.append([round(x, 6) for x in (hidden / hidden.norm()).tolist()])
    with open(f"{fixtures}/texts.json", "w", encoding="utf-8") as file:
        json.dump([{"text": t, "ids": i} for t, i in zip(all_texts, ids)], file, ensure_ascii=True, separators=(",", ":"))
    with open(f"{fixtures}/reference.json", "w", encoding="utf-8") as file:
        json.dump({str(i): vectors[i] for i in range(0, 200, 10)}, file, separators=(",", ":"))
    if len(sys.argv) == 5 and sys.argv[3] == "--all":
        with open(sys.argv[4], "w", encoding="utf-8") as file:
            json.dump({str(i): v for i, v in enumerate(vectors)}, file, separators=(",", ":"))


if __name__ == "__main__":
    main()
