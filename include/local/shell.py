"""`make dbt` and `make docs`: dbt on the local warehouse, and its documentation."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from include.catalog import write_metric_pages
from include.local.errors import StackError
from include.local.home import Company, Ports
from include.local.stack import warehouse_of
from include.manifest import ensure_manifest
from include.settings import settings


def run_dbt(words: Sequence[str]) -> int:
    """Run a dbt command on the warehouse of the last company, at its as-of time.

    A selection by `state:` compares with the manifest of the last `make run` that succeeded, unless `--state` names another folder.

    Args:
        words: the command and its options, such as `build --select +mart_nrr_summary`.

    Returns:
        dbt's exit code.

    Raises:
        StackError: no command is given, or there is no local warehouse or no manifest to compare with yet.
    """
    if not words:
        raise StackError('Give a dbt command: make dbt ARGS="build --select +mart_nrr_summary"')
    company = Company.last()
    if company is None:
        raise StackError("There is no local warehouse yet: `make run` makes one.")
    state = _state(company, words)
    with warehouse_of(company, Ports.from_environment()) as variables:
        run = {"DBT_AS_OF": f"{company.as_of}T00:00:00+00:00", "DBT_RUN_ID": f"shell__{datetime.now(UTC):%Y-%m-%dT%H%M%S}"}
        # Not dbt/target: the DAGs are parsed from the manifest there.
        target = str(company.home / "state" / "dbt_shell")
        return _dbt(words, {**os.environ, **variables, **run, **state, "DBT_TARGET_PATH": target, "DBT_LOG_PATH": target})


def keep_manifest(company: Company) -> None:
    """Keep the manifest of what a run has built, as the state that later changes of the project are compared with."""
    folder = _kept(company)
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(settings().manifest, folder)


def _kept(company: Company) -> Path:
    return company.home / "state" / "dbt_state"


def _state(company: Company, words: Sequence[str]) -> dict[str, str]:
    """The variable that names the state folder. Only a selection needs it: with it, dbt reads a second manifest, and `retry` other results."""
    given = "DBT_STATE" in os.environ or any(word.partition("=")[0] == "--state" for word in words)
    if given or not any("state:" in word for word in words):
        return {}
    if not _kept(company).exists():
        raise StackError(
            "There is no manifest to compare with yet: a `make run` that succeeds keeps one, `--state` names another folder."
        )
    return {"DBT_STATE": str(_kept(company))}


def write_docs() -> tuple[Path, Path]:
    """Write dbt's documentation with its lineage graph as one HTML file, and the pages about metrics. Needs no warehouse.

    Returns:
        The file, and the index of the pages.

    Raises:
        ManifestError, StackError: dbt could not write it.
    """
    ensure_manifest(print)
    if _dbt(["--quiet", "docs", "generate", "--static", "--no-compile", "--empty-catalog"], dict(os.environ)):
        raise StackError("dbt could not write its documentation: see its messages above.")
    return settings().manifest.with_name("static_index.html"), write_metric_pages()


def _dbt(words: Sequence[str], environment: dict[str, str]) -> int:
    folder = str(settings().dbt_dir)
    command = [str(Path(sys.prefix) / "bin" / "dbt"), *words]
    return subprocess.run(
        command, check=False, env={**environment, "DBT_PROJECT_DIR": folder, "DBT_PROFILES_DIR": folder}
    ).returncode
