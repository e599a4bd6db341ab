"""Runs a unit test's query with a change, and keeps what came of it.

The inputs of a unit test stand in its SQL, a hundred times longer than the model. So each input is written to a table once, and the queries read it there.
"""

from __future__ import annotations

import hashlib
import json
import re
from functools import lru_cache
from pathlib import Path

from google.api_core.exceptions import GoogleAPIError
from google.cloud.bigquery import Client
from google.cloud.bigquery.table import RowIterator

_DATASET = "mutation"
#: An input as dbt writes it: a CTE whose text begins with this comment, up to a line that begins with its parenthesis.
_INPUT = re.compile(r"(?<=as \()\s+-- Fixture for \w+\n(.*?)(?=\n\))", re.DOTALL)


class Trials:
    """Queries on a warehouse. `kept` is a file of the outcomes so far, one a line."""

    def __init__(self, bq: Client, kept: Path) -> None:
        self._bq = bq
        self._kept = kept
        kept.touch()
        self._outcomes: dict[str, str] = {
            item["trial"]: item["outcome"] for item in map(json.loads, kept.read_text().splitlines())
        }
        self._original = lru_cache(maxsize=None)(self._rows)
        self._table = lru_cache(maxsize=None)(self._written)
        bq.create_dataset(_DATASET, exists_ok=True)

    def outcome(self, original: str, mutated: str) -> str:
        """`killed`, `survived` or `invalid`: whether the rows of the two queries differ, in any order.

        Raises:
            GoogleAPIError: the original query fails.
        """
        trial = hashlib.sha256(f"{original}\0{mutated}".encode()).hexdigest()
        if trial not in self._outcomes:
            self._outcomes[trial] = self._compare(original, mutated)
            with self._kept.open("a") as file:
                file.write(json.dumps({"trial": trial, "outcome": self._outcomes[trial]}) + "\n")
        return self._outcomes[trial]

    def _compare(self, original: str, mutated: str) -> str:
        expected = self._original(original)
        try:
            return "survived" if self._rows(mutated) == expected else "killed"
        except GoogleAPIError:
            return "killed" if self._is_valid(mutated) else "invalid"

    def _is_valid(self, sql: str) -> bool:
        """Whether the warehouse accepts a query as long as it reads no row."""
        try:
            self._rows(f"select * from (\n{sql}\n) as valid limit 0")
        except GoogleAPIError:
            return False
        return True

    def _rows(self, sql: str) -> list[str]:
        short = _INPUT.sub(lambda found: f" select * from {self._table(found[1])}", sql)
        return sorted(repr(tuple(row.values())) for row in self._run(short))

    def _written(self, rows: str) -> str:
        """The table with the rows of an input."""
        table = f"{_DATASET}.{hashlib.sha256(rows.encode()).hexdigest()[:16]}"
        self._run(f"create table if not exists `{table}` as\n{rows}")
        return f"`{table}`"

    def _run(self, sql: str) -> RowIterator:
        return self._bq.query(sql, retry=None, job_retry=None).result(retry=None, job_retry=None)
