"""The pages about what analysts read, generated from the dbt project: `docs/facts.md`, and `docs/metrics/` with a page per definition."""

from include.catalog.metrics import METRICS, metric_pages
from include.catalog.nodes import read_manifest
from include.catalog.page import FACTS, query, render

__all__ = ["FACTS", "METRICS", "metric_pages", "query", "read_manifest", "render"]
