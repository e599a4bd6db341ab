"""Loads the sources into `raw`: one dlt pipeline per source, and one step that conforms the rows of every reader."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from include.ingestion.landing import land
    from include.ingestion.report import LandingError, LandingReport, TableReport

__all__ = ["LandingError", "LandingReport", "TableReport", "land"]


def __getattr__(name: str) -> Any:
    """Import dlt and Arrow only when a load starts: DAG files import this package at every parse."""
    if name == "land":
        from include.ingestion.landing import land

        return land
    if name in __all__:
        from include.ingestion import report

        return getattr(report, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
