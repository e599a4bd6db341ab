"""Freshness promises: what is promised of each published table, whether it is kept, and the ledger of it. See docs/freshness.md."""

from include.freshness.evaluate import Measurement, Publication, Running, SlaEvent, evaluate
from include.freshness.ledger import events_since
from include.freshness.look import Look
from include.freshness.monitor import instant_of, judge, monitor
from include.freshness.promises import Promise, PromiseError, load_lineage, load_promises
from include.freshness.status import Status, status_table, statuses, write_page

__all__ = [
    "Look",
    "Measurement",
    "Promise",
    "PromiseError",
    "Publication",
    "Running",
    "SlaEvent",
    "Status",
    "evaluate",
    "events_since",
    "instant_of",
    "judge",
    "load_lineage",
    "load_promises",
    "monitor",
    "status_table",
    "statuses",
    "write_page",
]
