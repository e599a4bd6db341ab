"""The sources: one YAML file per source, the schema of these files, the connections, and the readers."""

from include.connection import ConnectionMissing, SourceConnection
from include.sources.loading import SourceError, load_source, load_sources, personal_columns
from include.sources.schema import Column, Freshness, Source, Table

__all__ = [
    "Column",
    "ConnectionMissing",
    "Freshness",
    "Source",
    "SourceConnection",
    "SourceError",
    "Table",
    "load_source",
    "load_sources",
    "personal_columns",
]
