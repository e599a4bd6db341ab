"""The page of facts about what analysts read: `docs/facts.md`, generated from the dbt project."""

from include.catalog.page import FACTS, render

__all__ = ["FACTS", "render"]
