"""How long an echo call takes over stdio, in milliseconds. Arguments: NAME=COMMAND of each server.

The servers take turns of several calls, each of which follows the answer to the one before, or comes after a pause.
"""

import json
import shlex
import statistics
import subprocess
import sys
import time

META = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientInfo": {"name": "bench", "version": "1"},
    "io.modelcontextprotocol/clientCapabilities": {},
}
UNIT = 'Die Warteschlange "Aufträge" wächst; größer als üblich, obwohl niemand etwas geändert hat.\n'


def call(server, number, text):
    params = {"name": "echo", "arguments": {"text": text}, "_meta": META}
    message = {"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": params}
    line = json.dumps(message, ensure_ascii=False).encode() + b"\n"
    start = time.perf_counter()
    server.stdin.write(line)
    server.stdin.flush()
    answer = server.stdout.readline()
    elapsed = time.perf_counter() - start
    # A short answer is an error.
    if len(answer) < len(text.encode()):
        sys.exit(f"A call failed: {answer[:300]!r}")
    return elapsed * 1000


servers = {}
for argument in sys.argv[1:]:
    name, command = argument.split("=", 1)
    servers[name] = subprocess.Popen(
        shlex.split(command), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
ROUNDS = 10
number = 0
print(f"{'text':>9} {'pause ms':>9}  {'server':14} {'median ms':>10} {'99 % ms':>9}")
for size, pause, count in [(10, 0, 200), (10, 10, 30), (10_000, 0, 30), (100_000, 0, 10), (1_000_000, 0, 3)]:
    figures = {name: [] for name in servers}
    for index in range(ROUNDS + 1):
        for name, server in servers.items():
            for _ in range(count):
                number += 1
                if pause:
                    time.sleep(pause / 1000)
                elapsed = call(server, number, str(number) + UNIT * (size // len(UNIT.encode())))
                if index > 0:  # The first round warms up.
                    figures[name].append(elapsed)
    for name, values in figures.items():
        tail = sorted(values)[int(len(values) * 0.99) - 1]
        print(f"{size:9} {pause:9}  {name:14} {statistics.median(values):10.3f} {tail:9.3f}")
for server in servers.values():
    server.stdin.close()
    server.wait(10)
