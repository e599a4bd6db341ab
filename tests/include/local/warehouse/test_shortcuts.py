"""The garbage collection of the warehouse's process. The other shortcuts are tested by every answer of the warehouse."""

from __future__ import annotations

import subprocess

from include.local.warehouse.embedded import PYTHON
from include.settings import ROOT

PROBE = """
import gc, sys
sys.path.insert(0, "include/local/warehouse")
from shortcuts import speed_up

def collections():
    before = gc.get_stats()[0]["collections"]
    kept = [[] for _ in range(50_000)]
    return gc.get_stats()[0]["collections"] - before

usual = collections()
speed_up()
print(usual > 0, collections(), gc.get_freeze_count() > 0)
"""


def test_garbage_is_collected_seldom() -> None:
    """50,000 new objects cause no collection, and the objects from before are never collected."""
    done = subprocess.run([PYTHON, "-c", PROBE], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.strip() == "True 0 True"
