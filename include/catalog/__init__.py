"""Generates the pages about published tables from the dbt project: `docs/facts.md`, and a page per metric in `docs/metrics/`."""

from include.catalog.metrics import METRICS, metric_pages
from include.catalog.page import FACTS, query, render

__all__ = ["FACTS", "METRICS", "metric_pages", "query", "render"]
