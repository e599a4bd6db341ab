"""`make bench`: the duration of nightly runs, relative to the first one on this machine, beside the targets. It asserts nothing.

SCALE and SEED as for `make run`. The stack is in a temporary folder.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

from include.settings import ROOT
from tests.pipeline.nightly_runs import free_ports

FIRST, SECOND = "2026-10-01", "2026-10-02"
#: The targets, in seconds.
TARGETS = {"first run": 8 * 60, "second run": 3 * 60}

PARTS_SQL = """
    with dbt as (
        select run_id, sum(execution_seconds) as node_seconds, timestamp_diff(max(finished_at), min(finished_at), second) as layers
        from ops.dbt_results
        group by run_id
    )
    select
        cast(date(r.as_of) as string) as as_of_day,
        timestamp_diff(r.finished_at, r.started_at, second) as transform_seconds,
        cast(d.node_seconds as int64) as dbt_node_seconds,
        (select sum(rows_loaded) from ops.loads as l where l.batch_id like '%@' || format_timestamp('%Y-%m-%d', r.as_of) || '%') as rows_loaded,
        (
            select timestamp_diff(max(loaded_at), min(extracted_at), second)
            from ops.loads as l
            where l.batch_id like '%@' || format_timestamp('%Y-%m-%d', r.as_of) || '%'
        ) as load_seconds
    from ops.pipeline_runs as r
    join dbt as d on d.run_id = r.run_id
    where r.dag_id = 'transform'
    order by r.as_of
"""


def main() -> int:
    console = Console(width=140)
    scale, seed = os.environ.get("SCALE") or "1", os.environ.get("SEED") or "42"
    with tempfile.TemporaryDirectory(prefix="bench-") as home:
        environment = {**os.environ, "LOCAL_HOME": home}
        environment |= {f"{name.upper()}_PORT": str(port) for name, port in asdict(free_ports()).items()}

        def command(*arguments: str) -> str:
            done = subprocess.run(
                [sys.executable, "-m", "include.local", *arguments], env=environment, text=True, cwd=ROOT, stdout=subprocess.PIPE
            )
            if done.returncode:
                raise SystemExit(f"include.local {' '.join(arguments)} failed:\n{done.stdout}")
            return done.stdout

        seconds: dict[str, float] = {}
        for name, as_of in (("first run", FIRST), ("second run", SECOND), ("second run repeated", SECOND)):
            console.print(f"{name} …")
            start = time.monotonic()
            command("run", "--scale", scale, "--seed", seed, "--as-of", as_of)
            seconds[name] = time.monotonic() - start
        parts = command("sql", PARTS_SQL)
        size = sum(path.stat().st_size for path in Path(home).rglob("*") if path.is_file())

    table = Table(title=f"Nightly runs at scale {scale} (with existing environments)", title_justify="left")
    for column in ("run", "seconds", "relative to the first", "target"):
        table.add_column(column, justify="left" if column == "run" else "right")
    for name, value in seconds.items():
        target = TARGETS.get(name)
        table.add_row(name, f"{value:.0f}", f"{value / seconds['first run']:.2f}", f"≤ {target}" if target else "")
    console.print(table)
    console.print("The parts, from the audit tables:")
    console.print(parts)
    console.print(f"On disk: {size / 1e6:.0f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
