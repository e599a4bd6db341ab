"""Freshness SLAs: the target of each published table, whether it is met, and the record of it. See docs/freshness.md."""

from include.freshness.audit import events_since
from include.freshness.evaluate import FreshnessEvent, Measurement, Publication, Running, evaluate
from include.freshness.monitor import evaluate_all, instant_of, monitor
from include.freshness.records import Records
from include.freshness.slas import FreshnessSla, FreshnessSlaError, load_freshness_slas, load_lineage
from include.freshness.status import Status, status_table, statuses, write_page

__all__ = [
    "FreshnessEvent",
    "FreshnessSla",
    "FreshnessSlaError",
    "Measurement",
    "Publication",
    "Records",
    "Running",
    "Status",
    "evaluate",
    "evaluate_all",
    "events_since",
    "instant_of",
    "load_freshness_slas",
    "load_lineage",
    "monitor",
    "status_table",
    "statuses",
    "write_page",
]
