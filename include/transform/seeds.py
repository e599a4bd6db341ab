"""Seeds are constants that change with the project's code: a run loads and tests them when they have, and otherwise skips their tasks."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from include.manifest import nodes_of, read_manifest
from include.ops import SOME_SEEDS
from include.settings import settings

#: The layer of the pipeline that loads them.
LAYER = "seeds"
# What a seed and its tests are made from, besides dbt_project.yml.
_TELLING = ("seeds", "macros", "tests")
_SUFFIXES = {".csv", ".sql", ".yml", ".yaml"}


@dataclass(frozen=True)
class Seeds:
    """All seeds of the project, as they are now.

    Attributes:
        checksum: a digest of their rows, of how they are loaded, and of all tests and macros that are written for the project.
        tables: dataset → the tables that they are loaded into.
    """

    checksum: str
    tables: Mapping[str, Collection[str]]

    @classmethod
    def of_project(cls) -> Seeds:
        """The seeds of the dbt project: their files as they are now, which dbt's manifest may be older than."""
        folder, digest = settings().dbt_dir, hashlib.sha256()
        files = (path for part in _TELLING for path in (folder / part).rglob("*") if path.suffix in _SUFFIXES)
        for path in sorted([folder / "dbt_project.yml", *files]):
            content = path.read_bytes()
            digest.update(f"{path.relative_to(folder).as_posix()} {len(content)}\n".encode() + content)
        tables: dict[str, set[str]] = {}
        for node in nodes_of(read_manifest(), "seed"):
            tables.setdefault(node["schema"], set()).add(node["alias"])
        return cls(digest.hexdigest(), tables)

    def are_loaded(self, runs: Iterable[Mapping[str, Any]]) -> bool:
        """Whether a run that succeeded has loaded and tested them, or found them so, and none has touched others since.

        Args:
            runs: the runs so far, newest first, as the books hold them.
        """
        latest = next((run for run in runs if self._tells(run)), None)
        return latest is not None and latest["seeds"] == self.checksum and self._are_there()

    def _tells(self, run: Mapping[str, Any]) -> bool:
        return run["seeds"] is not None and (run["seeds"] != self.checksum or run["state"] == "success")

    def _are_there(self) -> bool:
        from include.warehouse import client

        bq = client()
        return all(set(tables) <= {table.table_id for table in bq.list_tables(name)} for name, tables in self.tables.items())

    def note(self, loaded: bool, whole: bool, selected: Collection[str] | None) -> str | None:
        """What the books say of a run's seeds: these, `some`, or None if it touches none.

        Args:
            loaded: whether they were found loaded.
            whole: whether the DAG builds all of them.
            selected: the dbt ids that the run is narrowed to, if it is.
        """
        if selected is not None:
            return SOME_SEEDS if any(node.startswith("seed.") for node in selected) else None
        return self.checksum if loaded or whole else SOME_SEEDS


def skip_loaded_seeds(context: Mapping[str, Any], told: dict[str, Any] | None) -> dict[str, Any] | None:
    """What `prepare` returns; if the seeds are loaded it ends here, and all of their tasks are skipped at once."""
    if told is None or not told["seeds_loaded"]:
        return told
    from airflow.sdk.exceptions import DownstreamTasksSkipped

    # A task that ends so returns nothing.
    context["ti"].xcom_push(key="return_value", value=told)
    raise DownstreamTasksSkipped(tasks=[name for name in context["dag"].task_ids if name.startswith(f"{LAYER}.")])
