"""Opens the Great Expectations context. The functions that do import Great Expectations, which takes seconds."""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from include.quality.render import DATASOURCE
from include.settings import settings

if TYPE_CHECKING:
    from google.cloud.bigquery import Client
    from great_expectations.data_context import FileDataContext

    from include.quality.scope import Scope

log = logging.getLogger(__name__)

#: The name of a checkpoint for several gates, or for gates narrowed to a scope.
_JOINT = "joint"


@lru_cache(maxsize=1)
def open_context() -> FileDataContext:
    """The context in `great_expectations/`, knowing the platform's own expectations. Runs no query."""
    return open_context_in(settings().gx_dir)


@contextmanager
def checkpoint_of(gates: Sequence[str], client: Client, scope: Scope | None = None) -> Iterator[Any | None]:
    """A checkpoint that runs some gates together, valid within the `with` block. Its queries use the client.

    One whole gate has its checkpoint in the repository. Several gates, or gates narrowed to a scope, get a temporary context. The data docs
    do not show their results, only those of the last whole gate; `ops.gate_results` has both. Yields None if the scope leaves no rule.
    """
    if scope is None and len(gates) == 1:
        yield _checkpoint(open_context(), gates[0], client)
        return
    from include.quality.builder import gates as all_gates
    from include.quality.builder import write
    from include.quality.render import render

    known = all_gates(scope.sources if scope else None)
    judged = []
    for whole in (known[gate] for gate in gates):
        narrowed = scope.narrow(whole) if scope else whole
        if narrowed != whole:
            count = len(narrowed.rules) if narrowed else 0
            log.info("Gate %s is narrowed to what this run makes: %d of %d rules.", whole.gate, count, len(whole.rules))
        judged += [narrowed] if narrowed else []
    if not judged:
        yield None
        return
    with TemporaryDirectory(prefix="gate-") as folder:
        write({Path(folder) / name: text for name, text in render({_JOINT: judged}, results="results/").items()})
        yield _checkpoint(open_context_in(Path(folder)), _JOINT, client)


def _checkpoint(context: FileDataContext, name: str, client: Client) -> Any:
    context.data_sources.all()[DATASOURCE].kwargs = {"connect_args": {"client": client}}
    return context.checkpoints.get(name)


def open_context_in(folder: Path) -> FileDataContext:
    """The context in a folder."""
    config = settings()
    # great_expectations.yml takes these from the environment, where a default of the settings does not show.
    os.environ["GX_WAREHOUSE_URL"] = warehouse_url()
    os.environ["PLATFORM_STATE_DIR"] = str(config.state_dir)
    os.environ["GX_ANALYTICS_ENABLED"] = "false"

    import great_expectations
    from include.quality import expectations

    # A BigQuery data source spans datasets, so each asset must name its own; there is no other way to say it.
    warnings.filterwarnings("ignore", message="`schema_name` is deprecated", category=DeprecationWarning)

    logging.getLogger("great_expectations").setLevel(logging.WARNING)
    log.debug("Registered the expectations of %s", expectations.__name__)  # defining the classes is what registers them
    return great_expectations.get_context(mode="file", context_root_dir=folder)


def warehouse_url() -> str:
    """The URL of the warehouse for SQLAlchemy, which gets the platform's own client."""
    return f"bigquery://{settings().project}?user_supplied_client=true"
