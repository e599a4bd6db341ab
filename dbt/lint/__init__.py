"""Stand-ins for what dbt puts into a model's Jinja context, so that sqlfluff renders models without starting dbt."""

from __future__ import annotations

import datetime as datetime_module
import hashlib
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import yaml

_VARIABLES = yaml.safe_load((Path(__file__).parent.parent / "dbt_project.yml").read_text(encoding="utf-8"))["vars"]

model = SimpleNamespace(name="model", raw_code="")
modules = SimpleNamespace(datetime=datetime_module, re=re)


def as_of_instant() -> datetime_module.datetime:
    """Any instant: linting looks at the shape of the SQL only."""
    return datetime_module.datetime(2026, 1, 1, tzinfo=datetime_module.UTC)


def as_of() -> str:
    """The macro `as_of` as it renders."""
    return "timestamp '2026-01-01 00:00:00.000000+00:00'"


def as_of_date() -> str:
    """The macro `as_of_date` as it renders."""
    return "date '2026-01-01'"


def raw_table(source_name: str, table_name: str) -> SimpleNamespace:
    """The macro `raw_table` for some table."""
    order = "updated_at desc, _extracted_at desc"
    return SimpleNamespace(
        key=[f"{table_name}_id"],
        changed_at="updated_at",
        visible="true",
        order_time="updated_at",
        latest_first=order,
        happened="true",
        deleted="_is_deleted",
    )


def local_md5(text: str) -> str:
    """dbt's function of the same name."""
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def var(name: str, default: Any = None) -> Any:
    """A project variable, as dbt_project.yml sets it."""
    return _VARIABLES.get(name, default)
