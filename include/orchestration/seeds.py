"""Seeds change with the project's code only: a run loads and tests them if they have changed, and otherwise skips their tasks."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from include.dbt_project import SEEDS
from include.manifest import nodes_of, read_manifest
from include.ops import SOME_SEEDS
from include.settings import settings

# The folders that determine the seeds and their tests, besides dbt_project.yml.
_FOLDERS = ("seeds", "macros", "tests")
_SUFFIXES = {".csv", ".sql", ".yml", ".yaml"}


@dataclass(frozen=True)
class Seeds:
    """All seeds of the project, as they are now.

    Attributes:
        checksum: a digest of the seeds, their configuration, and all tests and macros of the project.
        tables: dataset → the tables of the seeds.
    """

    checksum: str
    tables: Mapping[str, Collection[str]]

    @classmethod
    def of_project(cls) -> Seeds:
        """The seeds of the dbt project. Their files are read, because dbt's manifest may be older."""
        folder, digest = settings().dbt_dir, hashlib.sha256()
        files = (path for part in _FOLDERS for path in (folder / part).rglob("*") if path.suffix in _SUFFIXES)
        for path in sorted([folder / "dbt_project.yml", *files]):
            content = path.read_bytes()
            digest.update(f"{path.relative_to(folder).as_posix()} {len(content)}\n".encode() + content)
        tables: dict[str, set[str]] = {}
        for node in nodes_of(read_manifest(), "seed"):
            tables.setdefault(node["schema"], set()).add(node["alias"])
        return cls(digest.hexdigest(), tables)

    def are_loaded(self, runs: Iterable[Mapping[str, Any]]) -> bool:
        """Whether the warehouse holds these seeds, tested by a successful run, and no later run can have loaded other seeds.

        Args:
            runs: rows of `ops.pipeline_runs`, newest first.
        """
        latest = next((run for run in runs if self._decides(run)), None)
        return latest is not None and latest["seeds"] == self.checksum and self._tables_exist()

    def _decides(self, run: Mapping[str, Any]) -> bool:
        return run["seeds"] is not None and (run["seeds"] != self.checksum or run["state"] == "success")

    def _tables_exist(self) -> bool:
        from include.warehouse import client

        bq = client()
        return all(set(tables) <= {table.table_id for table in bq.list_tables(name)} for name, tables in self.tables.items())

    def note(self, loaded: bool, whole: bool, selected: Collection[str] | None) -> str | None:
        """The value of `seeds` in `ops.pipeline_runs`: the checksum, `some`, or None if the run loads no seeds.

        Args:
            loaded: whether they were loaded already.
            whole: whether the DAG builds all of them.
            selected: the dbt ids of the run's selection; None: everything.
        """
        if selected is not None:
            return SOME_SEEDS if any(node.startswith("seed.") for node in selected) else None
        return self.checksum if loaded or whole else SOME_SEEDS


def skip_loaded_seeds(context: Mapping[str, Any], parameters: dict[str, Any] | None) -> dict[str, Any] | None:
    """The last step of `prepare`: return the parameters. If the seeds are loaded, skip all tasks of the seeds.

    Raises:
        DownstreamTasksSkipped: the seeds are loaded; the parameters have been pushed to XCom.
    """
    if parameters is None or not parameters["seeds_loaded"]:
        return parameters
    from airflow.sdk.exceptions import DownstreamTasksSkipped

    # The exception replaces the return value, so it is pushed here.
    context["ti"].xcom_push(key="return_value", value=parameters)
    raise DownstreamTasksSkipped(tasks=[name for name in context["dag"].task_ids if name.startswith(f"{SEEDS}.")])
