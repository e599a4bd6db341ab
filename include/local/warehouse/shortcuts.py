"""Speeds up the embedded warehouse's translator of SQL, which takes most of the warehouse's own time.

No shortcut changes an answer. They fit the versions pinned in requirements-warehouse.txt and run in that environment.
"""

import gc
import re
import sys
import threading
from functools import lru_cache
from typing import Any

from bqemulator.catalog.duckdb_repository import DuckDBCatalogRepository
from bqemulator.jobs import executor
from bqemulator.sql.translator import SQLTranslator
from sqlglot import exp
from sqlglot.dialects.bigquery import BigQuery
from sqlglot.dialects.dialect import Dialect
from sqlglot.dialects.duckdb import DuckDB
from sqlglot.parsers.bigquery import BigQueryParser

# The translator parses each statement about twenty times from its text. Here each text is parsed once, and every caller gets
# a copy of the tree, without the positions that only error messages use.
_POSITIONS = {"line", "col", "start", "end"}
_LONG = 100_000  # characters; only the last few longer texts are cached
_parse_text: Any = Dialect.parse
#: Functions of the warehouse that only read the tree: they get the tree itself, not a copy.
_LOOKING = frozenset(
    {
        "_capture_dml_snapshots",
        "_detect_catalog_drop",
        "_detect_create_schema",
        "_detect_plain_create_table",
        "_parse_for_classification",
        "_reject_dml_on_immutable",
        "build_catalog_schema",
        "detect_drop_routine",
    }
)

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
    # The direct caller is sqlglot.parse_one; its caller decides whether a copy is needed.
    if sys._getframe(2).f_code.co_name in _LOOKING:
        return trees
    return [tree.copy() if tree is not None else None for tree in trees]


# The translator generates SQL from a whole statement once and then drops the tree, so the tree need not be copied first.
_generate: Any = Dialect.generate


def _write_without_copy(self: Dialect, expression: Any, copy: bool = True, **options: Any) -> str:
    dropped = isinstance(self, DuckDB) and expression.parent is None
    try:
        return str(_generate(self, expression, copy=copy and not dropped, **options))
    except BaseException:
        _generators().clear()  # it may have stopped halfway
        raise


# The compiled generator of DuckDB's SQL parses its seventeen templates for every statement. Here each thread keeps one generator.
_generator: Any = Dialect.generator
_kept = threading.local()


def _generators() -> dict[Any, Any]:
    found: dict[Any, Any] = _kept.__dict__.setdefault("generators", {})
    return found


def _generator_once(self: Dialect, **options: Any) -> Any:
    if self.settings or not isinstance(self, DuckDB):
        return _generator(self, **options)
    generators, key = _generators(), tuple(sorted(options.items()))
    if key not in generators:
        generators[key] = _generator(self, **options)
    return generators[key]


# The translator uses inferred types only for averages and divisions, so other statements skip the type inference.
_annotate: Any = SQLTranslator._annotate_tree


def _annotate_where_asked(tree: Any, schema: dict[str, Any]) -> Any:
    return _annotate(tree, schema) if tree.find(exp.Avg, exp.Div) is not None else tree


# dbt begins every statement with a comment. Its `/*` looks like a division, so each statement was parsed and generated again.
_LEADING_COMMENT = re.compile(r"\s*/\*.*?\*/", re.DOTALL)
_translate: Any = executor.rewrite_and_translate_statement


async def _translate_without_comment(sql: str, **options: Any) -> Any:
    comment = _LEADING_COMMENT.match(sql)
    # Replaced by blanks, so that the positions in messages stay right.
    sql = re.sub(r"\S", " ", comment[0]) + sql[comment.end() :] if comment else sql
    return await _translate(sql, **options)


def _remember_job(self: Any, job: Any) -> None:
    """Keep jobs in memory only, like their results: writing hundreds per run to disk slows down the warehouse and its start."""


def speed_up() -> None:
    """Switch the shortcuts on, in this process."""
    BigQueryParser.SUPPORTS_IMPLICIT_UNNEST = False
    Dialect.parse = _parse_once
    Dialect.generate = _write_without_copy
    Dialect.generator = _generator_once
    SQLTranslator._annotate_tree = staticmethod(_annotate_where_asked)
    executor.rewrite_and_translate_statement = _translate_without_comment
    DuckDBCatalogRepository._write_job = _remember_job
    # Parse trees are many objects. Garbage collection at Python's usual rate took a quarter of the warehouse's time. So present objects
    # are excluded, and later ones are collected far less often: the memory at the end of a nightly run is 0.9 GB instead of 0.8.
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)
