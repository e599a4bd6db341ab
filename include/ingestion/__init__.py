"""Lands the sources in raw: one dlt pipeline per source, one step that makes every reader's rows alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from include.ingestion.landing import land
    from include.ingestion.report import LandingError, LandingReport, TableReport

__all__ = ["LandingError", "LandingReport", "TableReport", "land"]


def __getattr__(name: str) -> Any:
    """Import dlt and Arrow only when somebody lands something: DAG files import this package."""
    if name == "land":
        from include.ingestion.landing import land

        return land
    if name in __all__:
        from include.ingestion import report

        return getattr(report, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
