"""Speeds up the embedded warehouse's translator of SQL, which takes most of the warehouse's own time.

No shortcut changes an answer. They fit the versions pinned in requirements-warehouse.txt and run in that environment.
"""

import gc
import threading
from functools import lru_cache
from typing import Any

from bqemulator.catalog.duckdb_repository import DuckDBCatalogRepository
from sqlglot import exp
from sqlglot.dialects.bigquery import BigQuery
from sqlglot.dialects.dialect import Dialect
from sqlglot.parsers.bigquery import BigQueryParser

# The translator parses each statement about twenty times from its text. Here each text is parsed once, and every caller gets
# a copy of the tree, without the positions that only error messages use.
_POSITIONS = {"line", "col", "start", "end"}
_LONG = 100_000  # characters; only the last few longer texts are cached
_parse_text: Any = Dialect.parse
# In `from t, t.items` BigQuery unnests an array. To find such joins, the parser copies every subquery of every FROM at every
# level. In a query of nested views this takes most of its time. Here it looks for them only if a join may be one.
_unnesting = threading.Lock()


def _parse_quickly(dialect: Any, sql: str, **options: Any) -> list[Any]:
    trees: list[Any] = _parse_text(dialect, sql, **options)
    if isinstance(dialect, BigQuery) and any(_may_unnest(tree) for tree in trees if tree is not None):
        with _unnesting:
            BigQueryParser.SUPPORTS_IMPLICIT_UNNEST = True
            try:
                trees = _parse_text(dialect, sql, **options)
            finally:
                BigQueryParser.SUPPORTS_IMPLICIT_UNNEST = False
    return trees


def _may_unnest(tree: Any) -> bool:
    """Whether a join names a path into something that the statement reads from."""
    joined = [join.this for join in tree.find_all(exp.Join) if isinstance(join.this, exp.Table) and not join.args.get("on")]
    paths = [table.parts[0].name.lower() for table in joined if len(table.parts) > 1]
    return bool(paths) and not {source.alias_or_name.lower() for source in tree.find_all(exp.Table, exp.Subquery)}.isdisjoint(
        paths
    )


def _parsed(dialect: Any, sql: str, options: tuple[tuple[str, Any], ...]) -> list[Any]:
    trees = _parse_quickly(dialect(), sql, **dict(options))
    for tree in trees:
        for node in tree.walk() if tree is not None else ():
            node.comments = node.comments or None
            if node._meta is not None:
                node._meta = {key: value for key, value in node._meta.items() if key not in _POSITIONS} or None
    return trees


_parsed_short, _parsed_long = lru_cache(maxsize=2048)(_parsed), lru_cache(maxsize=16)(_parsed)


def _parse_once(self: Dialect, sql: str, **options: Any) -> list[Any]:
    if self.settings:
        return _parse_quickly(self, sql, **options)
    parsed = _parsed_short if len(sql) < _LONG else _parsed_long
    dialect: Any = type(self)
    trees = parsed(dialect, sql, tuple(sorted(options.items())))
    return [tree.copy() if tree is not None else None for tree in trees]


def _remember_job(self: Any, job: Any) -> None:
    """Keep jobs in memory only, like their results: writing hundreds per run to disk slows down the warehouse and its start."""


def speed_up() -> None:
    """Switch the shortcuts on, in this process."""
    BigQueryParser.SUPPORTS_IMPLICIT_UNNEST = False
    Dialect.parse = _parse_once
    DuckDBCatalogRepository._write_job = _remember_job
    # Parse trees are many objects. Garbage collection at Python's usual rate took a quarter of the warehouse's time. So present objects
    # are excluded, and later ones are collected far less often: the memory at the end of a nightly run is 0.9 GB instead of 0.8.
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)
