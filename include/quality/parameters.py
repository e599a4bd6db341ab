"""The run's parameters in the SQL of the gates: `@run_id`, `@as_of`, `@batch_id`, `@full_refresh`, `@code_versions`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from include.restatements import code_versions, load_figures
from include.run_context import RunContext

#: Name → GoogleSQL type.
PARAMETERS = {"run_id": "STRING", "as_of": "TIMESTAMP", "batch_id": "STRING", "full_refresh": "BOOL", "code_versions": "STRING"}

#: The gate that compares the built figures with the published ones.
FIGURES_GATE = "marts"

_REFERENCE = re.compile(r"@(" + "|".join(PARAMETERS) + r")\b")
# The characters that Airflow allows in a run id, and the `@` of a batch id. None of them can end a string literal.
_HARMLESS = re.compile(r"^[A-Za-z0-9_.~:+@ -]*$")


def values_of(run: RunContext, gate: str) -> dict[str, str]:
    """The run's parameters as text. `batch_id` is that of the source for a raw gate, else empty.

    `code_versions` is `table:version` of each table with figures, separated by spaces, for the gate `marts`, else empty.
    """
    source = gate.removeprefix("raw_") if gate.startswith("raw_") else None
    values = {
        "run_id": run.run_id,
        "as_of": run.as_of.strftime("%Y-%m-%d %H:%M:%S.%f+00"),
        "batch_id": run.batch_id(source) if source else "",
        "full_refresh": "true" if run.full_refresh else "false",
        "code_versions": _code_versions() if gate == FIGURES_GATE else "",
    }
    for name, value in values.items():
        if not _HARMLESS.match(value):
            raise ValueError(f"{name} {value!r} contains a character that no {name} may contain.")
    return values


def _code_versions() -> str:
    return " ".join(f"{table}:{version}" for table, version in code_versions(load_figures().tables).items())


def with_literals(sql: str, values: Mapping[str, str]) -> str:
    """The SQL with each parameter replaced by a literal, for clients that cannot bind parameters."""

    def literal(match: re.Match[str]) -> str:
        name = match[1]
        kind = PARAMETERS[name]
        if kind == "BOOL":
            return values[name]
        return f"timestamp '{values[name]}'" if kind == "TIMESTAMP" else f"'{values[name]}'"

    return _REFERENCE.sub(literal, sql)


def typed(values: Mapping[str, str]) -> dict[str, Any]:
    """The same parameters as values of their types."""
    return dict(values) | {"as_of": datetime.fromisoformat(values["as_of"]), "full_refresh": values["full_refresh"] == "true"}
