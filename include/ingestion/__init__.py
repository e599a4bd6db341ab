"""Loads the sources into `raw`: one dlt pipeline per source, and one step that conforms the rows of every reader."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from include.ingestion.loading import load
    from include.ingestion.report import LoadError, LoadPostponed, LoadReport, TableReport

__all__ = ["LoadError", "LoadPostponed", "LoadReport", "TableReport", "load"]


def __getattr__(name: str) -> Any:
    """Import dlt and Arrow only when a load starts: DAG files import this package at every parse."""
    if name == "load":
        from include.ingestion.loading import load

        return load
    if name in __all__:
        from include.ingestion import report

        return getattr(report, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
