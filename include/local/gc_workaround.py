"""Works around a crash of the garbage collector in servers with many threads on Python 3.11.

Python 3.11 may collect garbage during any memory allocation. If that happens while an object's `__dict__` is created, and a
finalizer reads the same `__dict__`, two dictionaries share the values and free them twice. SQLAlchemy's sessions can cause this,
and Airflow's API server then ends with a segmentation fault. Python 3.12 and later collect only between two instructions.
"""

from __future__ import annotations

import gc
import sys
import threading
import time

#: Seconds between two collections of young objects, and the number of these per full collection.
YOUNG_SECONDS = 2.0
YOUNG_PER_FULL = 30


def collect_between_instructions() -> bool:
    """On Python 3.11, collect garbage in a separate thread, which cannot interrupt another thread during an instruction.

    Returns:
        Whether this Python needs it.
    """
    if sys.version_info >= (3, 12):
        return False
    gc.disable()
    threading.Thread(target=_collect, name="garbage-collector", daemon=True).start()
    return True


def _collect() -> None:
    _collect_young()
    # Objects from the start of the server stay. Without this, checking them would block all requests for 1.6 s per minute.
    gc.freeze()
    while True:
        _collect_young()
        gc.collect()


def _collect_young() -> None:
    for _ in range(YOUNG_PER_FULL):
        time.sleep(YOUNG_SECONDS)
        gc.collect(1)
