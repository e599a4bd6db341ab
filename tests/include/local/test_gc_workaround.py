"""The garbage collection of the API server, against the bug of Python 3.11 that it works around."""

from __future__ import annotations

import subprocess
import sys

import pytest

from include.settings import ROOT

FIXED = sys.version_info >= (3, 12)
# A finalizer reads the `__dict__` of an object while that `__dict__` is created. The code collects at that moment only, so the
# bug does not depend on chance.
TWO_DICTIONARIES = """
import gc, os, sys, threading, time
from include.local import gc_workaround

class Holder: pass

class Garbage:
    def __del__(self):
        collected.append(target.__dict__)

def differ(interrupt):
    global target, collected
    kept = []
    for _ in range(500):
        gc.disable()
        target, collected = Holder(), []
        target.x = [1]
        cycle = Garbage()
        cycle.itself = cycle
        del cycle
        kept.append([{} for _ in range(3)])  # empty Python's list of free dictionaries
        interrupt()
        own = target.__dict__
        if any(found is not own for found in collected):
            return True
    return False

def automatically():
    gc.set_threshold(1, 1, 1)
    gc.enable()
"""
IN_A_THREAD = """
gc_workaround.YOUNG_SECONDS = 0.001
needed = gc_workaround.collect_between_instructions()
enabled = gc.isenabled()
differed = differ(lambda: time.sleep(0.002) if needed else automatically())
deadline = time.monotonic() + 20
while needed and not gc.get_freeze_count() and time.monotonic() < deadline:
    time.sleep(0.01)
frozen = gc.get_freeze_count() > 0
freed = []
class Cycle:
    def __del__(self):
        freed.append(self)
cycle = Cycle()
cycle.itself = cycle
del cycle
while needed and not freed and time.monotonic() < deadline:
    time.sleep(0.01)
print(needed, enabled, differed, frozen, bool(freed), flush=True)
os._exit(0)
"""


def run(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True).stdout.strip()


@pytest.mark.skipif(FIXED, reason="fixed in Python 3.12")
def test_the_bug_occurs_with_the_usual_collector() -> None:
    assert run(TWO_DICTIONARIES + "print(differ(automatically), flush=True)\nos._exit(0)") == "True"


@pytest.mark.skipif(FIXED, reason="fixed in Python 3.12")
def test_the_bug_does_not_occur_with_the_thread_and_garbage_is_collected() -> None:
    assert run(TWO_DICTIONARIES + IN_A_THREAD) == "True False False True True"


@pytest.mark.skipif(not FIXED, reason="Python 3.11 needs it")
def test_a_newer_python_keeps_the_usual_collector() -> None:
    assert run(
        TWO_DICTIONARIES + "print(gc_workaround.collect_between_instructions(), gc.isenabled(), differ(automatically))"
    ) == ("False True False")
