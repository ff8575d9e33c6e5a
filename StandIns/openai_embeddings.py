#!/usr/bin/env python3
"""A stand-in for the embeddings API of OpenAI (POST /v1/embeddings), with vectors that have a meaning: texts that share
words point the same way. Needs nothing but Python.

    openai_embeddings.py --port 8090 [--key sk-stand-in] [--model stand-in-embed] [--dimension 64]

POST /__control {"status": 429, "times": 1, "headers": {"Retry-After": "1"}} makes the next answers fail; {"delay_ms": 500}
makes them slow, {"body": "…"} answers with that text, {"reversed": true} sends the vectors in reverse order, {"floats":
true} refuses base64, as some compatible servers do. GET /__requests tells what was asked. It is for tests only: whoever
reaches it may do that.
"""
import argparse
import base64
import hashlib
import json
import math
import re
import struct
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

MAXIMUM_TEXTS, MAXIMUM_BYTES = 2048, 8 << 20


def vector(text, dimension):
    """Each word adds a direction of its own; the length is not 1, so that clients have to see to that."""
    sums = [0.0] * dimension
    for word in re.findall(r"\w+", text.lower()) or [""]:
        digest = hashlib.sha256(word.encode()).digest()
        for place in range(4):
            number = int.from_bytes(digest[place * 4:place * 4 + 4], "big")
            sums[number % dimension] += 1 if number & 1 << 31 else -1
    return sums if any(sums) else [1.0] + sums[1:]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, value, headers=()):
        body = value if isinstance(value, bytes) else json.dumps(value).encode()
        self.send_response(status)
        for name, text in {"Content-Type": "application/json", "Content-Length": str(len(body)), **dict(headers)}.items():
            self.send_header(name, text)
        self.end_headers()
        self.wfile.write(body)

    def refuse(self, status, message, kind="invalid_request_error", headers=()):
        self.answer(status, {"error": {"message": message, "type": kind, "param": None, "code": None}}, headers)

    def do_GET(self):
        if self.path == "/__requests":
            with self.server.lock:
                self.answer(200, self.server.requests)
        elif self.path == "/v1/models":
            self.answer(200, {"object": "list", "data": [{"id": self.server.options.model, "object": "model"}]})
        else:
            self.refuse(404, f"Unknown request URL: GET {self.path}.")

    def do_POST(self):
        length = int(self.headers.get("Content-Length") or 0)
        if length > MAXIMUM_BYTES:
            self.close_connection = True
            return self.refuse(413, "The request is too large.")
        body = self.rfile.read(length)
        try:
            request = json.loads(body)
        except ValueError:
            return self.refuse(400, "We could not parse the JSON body of your request.")
        if self.path == "/__control":
            with self.server.lock:
                self.server.disturbances += [request] * request.get("times", 1)
            return self.answer(200, {})
        if self.path != "/v1/embeddings":
            return self.refuse(404, f"Unknown request URL: POST {self.path}.")
        self.embed(request, len(body))

    def embed(self, request, length):
        options = self.server.options
        texts = request.get("input")
        texts = [texts] if isinstance(texts, str) else texts
        with self.server.lock:
            disturbance = self.server.disturbances.pop(0) if self.server.disturbances else {}
            self.server.requests.append({
                "texts": len(texts) if isinstance(texts, list) else None, "bytes": length,
                "encoding": request.get("encoding_format"), "key": self.headers.get("Authorization"),
            })
        time.sleep(disturbance.get("delay_ms", 0) / 1000)
        if "body" in disturbance:
            return self.answer(disturbance.get("status", 200), disturbance["body"].encode())
        if "status" in disturbance:
            return self.refuse(disturbance["status"], "Disturbed.", "server_error", disturbance.get("headers", {}))
        if self.headers.get("Authorization") != f"Bearer {options.key}":
            return self.refuse(401, f"Incorrect API key provided: {(self.headers.get('Authorization') or '')[:12]}***.")
        if request.get("model") != options.model:
            return self.refuse(404, f"The model `{request.get('model')}` does not exist.")
        if not isinstance(texts, list) or not 1 <= len(texts) <= MAXIMUM_TEXTS \
                or not all(isinstance(text, str) and text for text in texts):
            return self.refuse(400, "'$.input' is invalid: 1 to 2048 strings that aren't empty are wanted.")
        encoding = request.get("encoding_format", "float")
        if encoding not in ("float", "base64") or (encoding == "base64" and disturbance.get("floats")):
            return self.refuse(400, f"'{encoding}' is not one of ['float'] - 'encoding_format'")
        entries = []
        for index, text in enumerate(texts):
            numbers = vector(text, options.dimension)
            if encoding == "base64":
                numbers = base64.b64encode(struct.pack(f"<{len(numbers)}f", *numbers)).decode()
            entries.append({"object": "embedding", "index": index, "embedding": numbers})
        if disturbance.get("reversed"):
            entries.reverse()
        tokens = sum(math.ceil(len(text) / 4) for text in texts)
        self.answer(200, {"object": "list", "model": options.model, "data": entries,
                          "usage": {"prompt_tokens": tokens, "total_tokens": tokens}})


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=8090)
    parser.add_argument("--key", default="sk-stand-in")
    parser.add_argument("--model", default="stand-in-embed")
    parser.add_argument("--dimension", type=int, default=64)
    server = ThreadingHTTPServer(("127.0.0.1", (options := parser.parse_args()).port), Handler)
    server.options, server.lock, server.requests, server.disturbances = options, threading.Lock(), [], []
    print(f"http://127.0.0.1:{server.server_port}/v1", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
