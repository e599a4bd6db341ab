"""The duration of a build of fct_tickets with many tickets: `python -m tests.bench_tickets [TICKETS]`. It asserts nothing.

The tickets are copies of those in tests/dbt/models/test_business_minutes.py. Each copy is created a second earlier.
"""

from __future__ import annotations

import random
import sys
import time

import pytest
from google.cloud import bigquery
from rich.console import Console
from rich.table import Table

from tests.dbt.models.builds import build
from tests.dbt.models.test_business_minutes import END, SEED, Desk
from tests.warehouse import connected, rows

TICKETS = 1_000_000

SECONDS_SQL = """
    select name, execution_seconds
    from ops.dbt_results
    where resource_type = 'model' and status = 'success'
    order by finished_at
"""


def main(wanted: int) -> int:
    with pytest.MonkeyPatch.context() as patch, connected(patch, "core", "conformed") as bq:
        desk = Desk.at_random(random.Random(SEED))
        desk.write(bq)
        _multiply(bq, -(-wanted // len(desk.tickets)))
        start = time.monotonic()
        build(END.isoformat(), "int_calendar__opening_hours", "dim_open_time", "fct_tickets")
        whole = time.monotonic() - start
        seconds = dict(rows(SECONDS_SQL, bq))
        [(count, known)] = rows("select count(*), countif(resolution_business_minutes is not null) from core.fct_tickets", bq)

    table = Table(title=f"fct_tickets over {count:,} tickets, {known:,} of them with business minutes", title_justify="left")
    table.add_column("what")
    table.add_column("seconds", justify="right")
    for name, value in seconds.items():
        table.add_row(str(name), f"{value:.1f}")
    table.add_row("dbt, start to end", f"{whole:.1f}")
    Console(width=120).print(table)
    return 0


def _multiply(bq: bigquery.Client, times: int) -> None:
    bq.query(f"""
        create or replace table core.int_support__tickets as
        select
            t.* except (ticket_id, created_at, response_closed_at, resolution_closed_at),
            concat(t.ticket_id, '/', cast(copy as string)) as ticket_id,
            timestamp_add(t.created_at, interval -copy second) as created_at,
            t.response_closed_at,
            t.resolution_closed_at
        from core.int_support__tickets as t
        cross join unnest(generate_array(0, {times - 1})) as copy
    """).result()


if __name__ == "__main__":
    raise SystemExit(main(int(sys.argv[1]) if len(sys.argv) > 1 else TICKETS))
