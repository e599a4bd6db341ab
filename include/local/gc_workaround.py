"""Garbage collection that does not crash a server of many threads on Python 3.11.

Python 3.11 collects garbage in the middle of whatever asks for memory. If that is the making of an object's `__dict__`, and what is
collected asks for the same one, two dictionaries share the object's values and free them twice. SQLAlchemy's sessions do so now and
then, and Airflow's API server ends with a segmentation fault. From 3.12 on, Python collects between two instructions only.
"""

from __future__ import annotations

import gc
import sys
import threading
import time

#: Seconds between two looks at what is young, and how many of those until everything is looked at.
YOUNG_SECONDS = 2.0
YOUNG_PER_FULL = 30


def collect_between_instructions() -> bool:
    """On Python 3.11, collect from a thread of its own, which never interrupts another in the middle of an instruction.

    Returns:
        Whether it was necessary.
    """
    if sys.version_info >= (3, 12):
        return False
    gc.disable()
    threading.Thread(target=_collect, name="garbage", daemon=True).start()
    return True


def _collect() -> None:
    _look_at_the_young()
    # What the server made when it started stays. To look through it took 1.6 s of every minute, in which nobody was answered.
    gc.freeze()
    while True:
        _look_at_the_young()
        gc.collect()


def _look_at_the_young() -> None:
    for _ in range(YOUNG_PER_FULL):
        time.sleep(YOUNG_SECONDS)
        gc.collect(1)
