"""The page of facts about what analysts read: `docs/facts.md`, generated from the dbt project."""

from include.catalog.page import FACTS, query, render

__all__ = ["FACTS", "query", "render"]
