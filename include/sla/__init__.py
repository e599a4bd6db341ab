"""Freshness promises: what is promised of each published table, whether it is kept, and the ledger of it. See docs/freshness.md."""

from include.sla.evaluate import Measurement, Publication, Running, SlaEvent, evaluate
from include.sla.ledger import events_since
from include.sla.look import Look
from include.sla.monitor import instant_of, judge, monitor
from include.sla.promises import Promise, PromiseError, load_lineage, load_promises
from include.sla.status import Status, status_table, statuses, write_page

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
