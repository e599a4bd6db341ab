"""Tables that a loader (Fivetran, Airbyte, Stitch, dlt) has landed in BigQuery: read where they are, through one view per table."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from include.ingestion import LoadReport
    from include.run_context import RunContext
    from include.sources import Source

__all__ = ["load"]


def load(source: Source, run: RunContext) -> LoadReport:
    """Bring a source's rows of today into its raw tables: loaded from its system, or seen where a loader has landed them.

    Raises:
        LoadError: a table could not be read; all others have been loaded.
    """
    # DAG files import this package at every parse, so it imports dlt and the client only here.
    if source.reader.type == "landed":
        from include.landed.attach import attach

        return attach(source, source.reader, run)
    from include.connection import SourceConnection
    from include.ingestion import load as load_system

    return load_system(source, SourceConnection.from_airflow(source.connection), run)
