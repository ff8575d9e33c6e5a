"""Calls a tool on several servers in turn and prints what a call costs each. Arguments: PORT:PID of each server.

The first server is ours; the others are compared with it. Every call has its own id and arguments.
"""

import http.client
import json
import os
import statistics
import sys
import threading
import time

ROUNDS, CALLS, CONNECTIONS = 3, 2000, 8
REVISION = "2026-07-28"
HEADERS = {
    "Content-Type": "application/json",
    "Accept": "application/json, text/event-stream",
    "MCP-Protocol-Version": REVISION,
    "Mcp-Method": "tools/call",
    "Mcp-Name": "k8s.generate_manifest",
}
META = {
    "io.modelcontextprotocol/protocolVersion": REVISION,
    "io.modelcontextprotocol/clientInfo": {"name": "bench", "version": "1"},
    "io.modelcontextprotocol/clientCapabilities": {},
}


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def call_many(port, first, count, failures):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    for number in range(first, first + count):
        arguments = {"app_name": f"app-{number}", "image": f"nginx:1.{number}", "container_port": 1024 + number % 60000}
        params = {"name": "k8s.generate_manifest", "arguments": arguments, "_meta": META}
        message = {"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": params}
        connection.request("POST", "/mcp", json.dumps(message), HEADERS)
        answer = json.loads(connection.getresponse().read())
        if f"app-{number}-deployment" not in json.dumps(answer.get("result", {})):
            failures.append(answer)
    connection.close()


def measure(port, pid, first):
    failures = []
    per_connection = CALLS // CONNECTIONS
    threads = [
        threading.Thread(target=call_many, args=(port, first + index * per_connection, per_connection, failures))
        for index in range(CONNECTIONS)
    ]
    cpu, start = cpu_seconds(pid), time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        sys.exit(f"{len(failures)} calls failed, the first with {failures[0]}")
    return (cpu_seconds(pid) - cpu) / CALLS * 1e6, CALLS / (time.monotonic() - start)


servers = [tuple(int(number) for number in argument.split(":")) for argument in sys.argv[1:]]
figures = {server: [] for server in servers}
for round_number in range(ROUNDS + 1):
    for server in servers:
        figure = measure(*server, first=1 + round_number * CALLS)
        if round_number > 0:  # The first round warms up.
            figures[server].append(figure)
for name, server in zip(["gantry", "python"], servers):
    cpu, rate = (statistics.median(values) for values in zip(*figures[server]))
    print(f"{name:8} {cpu:8.0f} µs of CPU per call   {rate:8.0f} calls/s (limited by the client)")
ours, theirs = (statistics.median(cpu for cpu, _ in figures[server]) for server in servers[:2])
print(f"ratio    {theirs / max(ours, 0.1):8.1f} × the CPU time of gantry for python")
