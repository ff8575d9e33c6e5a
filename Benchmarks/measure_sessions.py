"""What sessions and streams cost. Arguments: the fixture server's executable."""

import asyncio
import http.client
import json
import sys
import time
from pathlib import Path

from measure_http import cpu_seconds, resident_mib

sys.path.append(str(Path(__file__).resolve().parent.parent / "IntegrationTests"))
from processes import ServerProcess  # noqa: E402

INITIALIZE = json.dumps({
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-11-25",
        "capabilities": {"sampling": {}, "elicitation": {}, "roots": {"listChanged": True}},
        "clientInfo": {"name": "bench", "version": "1"},
    },
})
HEADERS = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
META = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": {},
}


class Server(ServerProcess):
    def __init__(self, *options):
        super().__init__([sys.argv[1], *options])

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop(20)

    def kib(self):
        return resident_mib(self.process.pid) * 1024

    def cpu(self):
        return cpu_seconds(self.process.pid)

    def open_sessions(self, count):
        connection = http.client.HTTPConnection("127.0.0.1", self.port)
        for _ in range(count):
            connection.request("POST", "/mcp", INITIALIZE, HEADERS)
            response = connection.getresponse()
            response.read()
            assert response.headers["Mcp-Session-Id"]
        connection.close()


def idle_sessions():
    with Server() as server:
        server.open_sessions(1000)
        before, cpu = server.kib(), server.cpu()
        server.open_sessions(10_000)
        each = (server.kib() - before) / 10_000
        print(f"10,000 idle sessions: {each:.2f} KiB each, {server.cpu() - cpu:.2f} CPU s to open")


def abandoned_sessions():
    with Server("--session-idle-ms", "2000") as server:
        marks = []
        for _ in range(5):
            server.open_sessions(20_000)
            marks.append(server.kib() / 1024)
        print("100,000 abandoned sessions, MiB after each 20,000: " + ", ".join(f"{mark:.1f}" for mark in marks))


def request(method, params, name=None):
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params | {"_meta": META}}).encode()
    lines = [
        "POST /mcp HTTP/1.1",
        "Host: localhost",
        "Content-Type: application/json",
        "Accept: application/json, text/event-stream",
        "MCP-Protocol-Version: 2026-07-28",
        f"Mcp-Method: {method}",
        *([f"Mcp-Name: {name}"] if name else []),
        f"Content-Length: {len(body)}",
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


async def open_streams(count=1000):
    with Server() as server:
        before = server.kib()
        streams = []
        for _ in range(count):
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.write(request("subscriptions/listen", {"notifications": {"toolsListChanged": True}}))
            streams.append((reader, writer))
        for reader, _ in streams:
            await reader.readuntil(b"acknowledged")
            await reader.readuntil(b"\n\n")
        each = (server.kib() - before) / count
        times, cpu = [], server.cpu()
        for _ in range(5):
            _, trigger = await asyncio.open_connection("127.0.0.1", server.port)
            trigger.write(request("tools/call", {"name": "test_trigger_tool_change"}, "test_trigger_tool_change"))
            start = time.perf_counter()
            await asyncio.gather(*(reader.readuntil(b"list_changed") for reader, _ in streams))
            times.append((time.perf_counter() - start) * 1000)
            trigger.close()
        cost = (server.cpu() - cpu) / 5 / count * 1e6
        print(
            f"{count} open streams: {each:.1f} KiB each; a change reaches all in {sorted(times)[2]:.0f} ms "
            f"(median of 5, the client included), {cost:.0f} µs of CPU each"
        )


idle_sessions()
abandoned_sessions()
asyncio.run(open_streams())
