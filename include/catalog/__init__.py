"""Pages from the dbt project: `docs/facts.md`, which is committed, and those that `make docs` writes, a page per metric."""

from include.catalog.metrics import METRICS, metric_pages, write_metric_pages
from include.catalog.page import FACTS, query, render

__all__ = ["FACTS", "METRICS", "metric_pages", "query", "render", "write_metric_pages"]
