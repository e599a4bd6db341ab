"""Explains published figures: definition, formula, the rows of core and raw that give them, changes, checks. `docs/explain.md` shows one."""

from include.explain.explanation import SHOWN, Explanation, explain
from include.explain.project import ExplainError
from include.explain.queries import Queries
from include.explain.render import show, write_csv, write_query
from include.explain.rows import Rows

__all__ = ["SHOWN", "ExplainError", "Explanation", "Queries", "Rows", "explain", "show", "write_csv", "write_query"]
