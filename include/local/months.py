"""`make restatements` and `make close`: the published figures of ended months, on the local warehouse."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from getpass import getuser

from rich.console import Console

from include.local.airflow import Api
from include.local.errors import StackError
from include.local.home import local_home, only_one
from include.local.processes import Processes
from include.local.stack import kept, last_warehouse
from include.orchestration import BUILD, take_lock


def show_restatements(console: Console) -> None:
    """Print the restatements of the last publications, and write their page.

    Raises:
        StackError: as `last_warehouse`, or the declared figures are wrong.
    """
    from include.restatements import restatement_table, restatements, write_page

    with last_warehouse(), _plain_errors():
        found = restatements()
        table = restatement_table(found) if found else "No publication has changed a figure of an ended month."
        console.print(table, highlight=False)
        console.print(f"As a page: {write_page()}", highlight=False, soft_wrap=True)


def change_month(month: str, organization: str, by: str, reopen: bool) -> list[str]:
    """Close a month, or re-open it.

    Args:
        month: `YYYY-MM`.
        organization: whose month; empty for all.
        by: who does it; empty for the user of this machine.
        reopen: whether to re-open it.

    Returns:
        A sentence per organization.

    Raises:
        StackError: it is refused, a run holds the lock on publications, or as `last_warehouse`.
    """
    from include.restatements import close_months, parse_month, reopen_months, write_page

    change = reopen_months if reopen else close_months
    with _plain_errors():
        first_day, name = parse_month(month), by or user_name()
    with only_one("close"), last_warehouse(), _plain_errors():
        run_id = f"make_close__{datetime.now(UTC):%Y-%m-%dT%H%M%S}"
        unfinished = _unfinished_runs()
        # The DAG does the same. Airflow knows no such run of it, so the lock ends with this command.
        other = take_lock([BUILD], "close_month", run_id, lambda *run: run not in unfinished)
        if other is not None:
            raise StackError(
                f"{month} stays as it is, because a publication may be in progress: {other}. Repeat it after that run."
            )
        said = change(first_day, name, organization or None)
        write_page()
    return said


@contextmanager
def _plain_errors() -> Iterator[None]:
    """Raises a `StackError` with one sentence for each error that a person can correct."""
    from include.restatements import CloseError, FiguresError

    try:
        yield
    except (CloseError, FiguresError) as error:
        raise StackError(str(error)) from error


def user_name() -> str:
    """The name of this machine's user.

    Raises:
        StackError: the user has none.
    """
    try:
        return getuser()
    except (KeyError, OSError) as error:
        raise StackError("This user has no name. Say who does it: BY=name.") from error


def _unfinished_runs() -> set[tuple[str, str]]:
    """DAG and id of the unfinished runs in the Airflow that `make up` has started; none if it is not up."""
    running = kept()
    if running is None:
        return set()
    api = Api(running[1])
    api.wait(Processes(local_home() / "logs"))
    return {(run["dag_id"], run["dag_run_id"]) for run in api.runs("~", state=["queued", "running"])}
