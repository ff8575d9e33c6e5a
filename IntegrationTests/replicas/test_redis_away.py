"""Redis away: what needs none goes on, what needs it fails in a way that can be tried again, and all comes back by itself.

Scripts/chaos-redis is the same for longer, with figures.
"""

import os
import subprocess

from environment import needed
from processes import ROOT


def test_killed_frozen_and_paused_under_load():
    environment = os.environ | {"GANTRY_BIN": needed("GANTRY_BIN"), "CHAOS_DOWN_SECONDS": "5", "CHAOS_CALLERS": "1"}
    done = subprocess.run([ROOT / "Scripts/chaos-redis"], env=environment, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    # Nothing has been mistaken for good because nothing was broken.
    for action in ("kill", "freeze", "pause"):
        sessions = [line for line in done.stdout.splitlines() if line.startswith(f"| {action} | sessions")]
        assert len(sessions) == 1 and "retryable" in sessions[0], done.stdout
