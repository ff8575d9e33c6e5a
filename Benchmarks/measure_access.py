"""CPU seconds for 10,000 echo calls of a bare server and of one that knows who calls, decides, limits and records.

Argument: the program access-bench. wrk is the client. The two servers are measured in turn, so that both see the same
machine; medians count.
"""

import os
import statistics
import subprocess
import sys
from pathlib import Path

from measure_http import ROUNDS, measure, resident_mib

sys.path.append(str(Path(__file__).resolve().parent.parent / "IntegrationTests"))
from processes import free_port, listens, until  # noqa: E402

CONNECTIONS = (1, 16)


def start(program, kind):
    port = free_port()
    process = subprocess.Popen([program, "serve", kind, str(port)], stdout=subprocess.PIPE, text=True)
    authorization = process.stdout.readline().strip()
    until(lambda: listens(port), f"{kind} listens", 30)
    return process, port, authorization


def main():
    servers = {kind: start(sys.argv[1], kind) for kind in ("bare", "guarded")}
    try:
        for connections in CONNECTIONS:
            figures = {kind: [] for kind in servers}
            for round_number in range(ROUNDS + 1):
                for kind, (process, port, authorization) in servers.items():
                    figure = measure(port, process.pid, 10, connections, authorization)
                    if round_number > 0:  # The first round warms up.
                        figures[kind].append(figure[0])
            bare, guarded = (statistics.median(figures[kind]) for kind in ("bare", "guarded"))
            print(
                f"{connections} connections: bare {bare:.2f} CPU s for 10,000 calls, with token, policy, limit and audit "
                f"{guarded:.2f}; ratio {guarded / bare:.2f} (rounds {[round(f, 2) for f in figures['bare']]} and "
                f"{[round(f, 2) for f in figures['guarded']]})"
            )
        for kind, (process, _, _) in servers.items():
            print(f"{kind}: {resident_mib(process.pid):.0f} MiB")
    finally:
        for process, _, _ in servers.values():
            process.terminate()
            process.wait()


if __name__ == "__main__":
    os.environ.setdefault("BENCH_SECONDS", "4")
    main()
