"""Passes a run to its dbt commands: the Google identity, the as-of time, the run id, and `--full-refresh`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from include.run_context import run_of

# dbt's commands that accept `--full-refresh`.
_REBUILDING = {"build", "run", "seed"}


def pass_run(context: Mapping[str, Any], operator: Any) -> None:
    """Set a dbt command's environment and flags. Cosmos calls it as an interceptor just before the command.

    Most models' tasks run no command, so they need no XCom request for the run.
    """
    from include.warehouse import identity

    # Not a field of the operator: Airflow shows fields, and the environment may contain a service account's key.
    os.environ.update(identity().dbt_environment())
    run = run_of(context)
    # Not dbt vars: dbt parses the whole project again when a var has changed.
    operator.env = (operator.env or {}) | {"DBT_AS_OF": run.as_of.isoformat(), "DBT_RUN_ID": run.run_id}
    if run.full_refresh and operator.base_cmd[0] in _REBUILDING:
        operator.dbt_cmd_flags = [*operator.dbt_cmd_flags, "--full-refresh"]
