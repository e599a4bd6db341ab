"""Starts the embedded warehouse with its guard, the corrections that make it behave like BigQuery, and the shortcuts.

It runs in the warehouse's own environment, never in the platform's.
"""

import os
import sys

from access import restrict  # type: ignore[import-not-found]  # beside this script
from bqemulator.cli import main
from corrections import correct  # type: ignore[import-not-found]
from record import record  # type: ignore[import-not-found]
from refusals import refuse  # type: ignore[import-not-found]
from shortcuts import speed_up  # type: ignore[import-not-found]

restrict()
record()
correct()
refuse()
speed_up()

if __name__ == "__main__":
    try:
        main()
    except SystemExit as end:
        # The data is on disk. A normal exit would free the parse trees of all statements one by one, which takes seconds.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(end.code if isinstance(end.code, int) else int(end.code is not None))
