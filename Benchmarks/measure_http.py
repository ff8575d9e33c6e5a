"""CPU seconds of servers for 10,000 echo calls, in turn, several rounds, medians. Arguments: NAME:PORT:PID of each.

The first server is ours. wrk is the client. The figure holds on a busy machine; requests per second don't.
"""

import os
import statistics
import subprocess
import sys
from pathlib import Path

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "3"))
SECONDS = os.environ.get("BENCH_SECONDS", "4")
SIZES = [(10, 16), (100_000, 8), (1_000_000, 8)]
SCRIPT = Path(__file__).parent / "echo.lua"


def cpu_seconds(pid):
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_mib(pid):
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024


def measure(port, pid, size, connections, authorization=""):
    before = cpu_seconds(pid)
    command = ["wrk", "-t1", f"-c{connections}", f"-d{SECONDS}s", "-s", str(SCRIPT), f"http://127.0.0.1:{port}/mcp"]
    output = subprocess.run(
        command, capture_output=True, text=True, check=True, env=os.environ | {"ECHO_BYTES": str(size), "ECHO_AUTHORIZATION": authorization}
    ).stdout
    requests, failed, microseconds = (int(word) for word in output.split("RESULT ")[1].split())
    if failed or requests == 0:
        sys.exit(f"{failed} of {requests} calls on port {port} failed:\n{output}")
    return (cpu_seconds(pid) - before) / requests * 10_000, requests / microseconds * 1e6


def main():
    servers = [(name, int(port), int(pid)) for name, port, pid in (argument.split(":") for argument in sys.argv[1:])]
    print(f"{'text':>9} {'connections':>12}  {'server':14} {'CPU s / 10,000':>15} {'calls/s':>9} {'MiB':>6}  ratio to gantry")
    for size, connections in SIZES:
        # A constant answer says nothing about large texts.
        taking_part = [server for server in servers if size < 1000 or server[0] != "constant"]
        figures = {name: [] for name, _, _ in taking_part}
        for round_number in range(ROUNDS + 1):
            for name, port, pid in taking_part:
                figure = measure(port, pid, size, connections)
                if round_number > 0:  # The first round warms up.
                    figures[name].append(figure)
        medians = {name: [statistics.median(column) for column in zip(*rows)] for name, rows in figures.items()}
        ours = medians[taking_part[0][0]][0]
        for name, _, pid in taking_part:
            cpu, rate = medians[name]
            memory = resident_mib(pid)
            print(f"{size:9} {connections:12}  {name:14} {cpu:15.2f} {rate:9.0f} {memory:6.0f}  {cpu / ours:6.2f}")


if __name__ == "__main__":
    main()
