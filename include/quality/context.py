"""Opens the Great Expectations context. The functions that do import Great Expectations, which takes seconds."""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from include.quality.builder import gates as all_gates
from include.quality.builder import write
from include.quality.render import DATASOURCE, RESULTS, render
from include.settings import settings

if TYPE_CHECKING:
    from google.cloud.bigquery import Client
    from great_expectations.data_context import FileDataContext

    from include.quality.rules import Gate
    from include.quality.scope import Scope

log = logging.getLogger(__name__)

#: The name of a checkpoint for several gates, or for gates narrowed to a scope.
_JOINT = "joint"


@contextmanager
def checkpoint_of(gates: Sequence[str], client: Client, scope: Scope | None = None) -> Iterator[Any | None]:
    """A checkpoint that runs some gates together, valid within the `with` block. Its queries use the client.

    The data docs show the results of whole gates that run by themselves; `ops.gate_results` has all. Yields None if the scope leaves no rule.
    """
    known = all_gates(scope.sources if scope else None)
    checked = []
    for whole in (known[gate] for gate in gates):
        narrowed = scope.narrow(whole) if scope else whole
        if narrowed != whole:
            count = len(narrowed.rules) if narrowed else 0
            log.info(
                "Gate %s is narrowed to the tables that this run builds: %d of %d rules.", whole.gate, count, len(whole.rules)
            )
        checked += [narrowed] if narrowed else []
    if not checked:
        yield None
        return
    by_itself = scope is None and len(checked) == 1
    name, results = (checked[0].gate, RESULTS) if by_itself else (_JOINT, "results/")
    with open_context({name: checked}, results) as context:
        context.data_sources.all()[DATASOURCE].kwargs = {"connect_args": {"client": client}}
        yield context.checkpoints.get(name)


@contextmanager
def open_context(checkpoints: Mapping[str, Sequence[Gate]], results: str = RESULTS) -> Iterator[FileDataContext]:
    """A context of some checkpoints in a temporary folder, valid within the `with` block. Runs no query.

    Args:
        checkpoints: name → the gates that it runs together.
        results: the folder of the results.
    """
    config = settings()
    # great_expectations.yml takes these from the environment, where a default of the settings does not show.
    os.environ["GX_WAREHOUSE_URL"] = warehouse_url()
    os.environ["PLATFORM_STATE_DIR"] = str(config.state_dir)
    os.environ["GX_ANALYTICS_ENABLED"] = "false"

    import great_expectations
    from include.quality import expectations

    # A BigQuery data source spans datasets, so each asset must name its own, and only this argument can.
    warnings.filterwarnings("ignore", message="`schema_name` is deprecated", category=DeprecationWarning)

    logging.getLogger("great_expectations").setLevel(logging.WARNING)
    log.debug("Registered the expectations of %s", expectations.__name__)  # defining the classes is what registers them
    with TemporaryDirectory(prefix="gates-") as folder:
        write({Path(folder) / name: text for name, text in render(checkpoints, results).items()})
        yield great_expectations.get_context(mode="file", context_root_dir=folder)


def warehouse_url() -> str:
    """The URL of the warehouse for SQLAlchemy, which gets the platform's own client."""
    return f"bigquery://{settings().project}?user_supplied_client=true"
