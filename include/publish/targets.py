"""The tables to publish: which built tables, under which names."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from include.manifest import PUBLISHED, nodes_of, read_manifest

if TYPE_CHECKING:
    from google.cloud.bigquery import Client

_BUILDS = {published: build for build, published in PUBLISHED.items()}

BACKUP_DATASET = "ops"
BACKUP_PREFIX = "published_before__"

_NAME = re.compile(r"^[A-Za-z_][A-Za-z0-9_]{0,200}$")
_NOT_TABLES = {"VIEW", "MATERIALIZED_VIEW", "EXTERNAL"}


class PublishError(RuntimeError):
    """Nothing was published; the published tables are unchanged. The message names the table and the cause."""


@dataclass(frozen=True, order=True)
class Target:
    """One table to publish: `marts.<name>` or `metrics.<name>`."""

    dataset: str
    name: str

    def __post_init__(self) -> None:
        if self.dataset not in _BUILDS:
            raise PublishError(f"{self.dataset}.{self.name}: only {' and '.join(_BUILDS)} are published.")
        if not _NAME.match(self.name):
            raise PublishError(f"{self.dataset}.{self.name!r} is not a valid table name.")

    @property
    def build_dataset(self) -> str:
        return _BUILDS[self.dataset]

    @property
    def key(self) -> str:
        """Its published name, `dataset.table`."""
        return f"{self.dataset}.{self.name}"

    @property
    def published(self) -> str:
        """The published table, quoted for SQL."""
        return f"`{self.dataset}`.`{self.name}`"

    @property
    def built(self) -> str:
        """The built table, quoted for SQL."""
        return f"`{self.build_dataset}`.`{self.name}`"

    @property
    def backup_name(self) -> str:
        return f"{BACKUP_PREFIX}{self.dataset}__{self.name}"

    @property
    def backup(self) -> str:
        """The backup of the published table while it is being replaced; quoted for SQL."""
        return f"`{BACKUP_DATASET}`.`{self.backup_name}`"


def chosen(tables: Iterable[str]) -> list[Target]:
    """The targets of published names such as `marts.mart_nrr_summary`.

    Raises:
        PublishError: a name that is not `marts.<table>` or `metrics.<table>`.
    """
    targets = set()
    for table in tables:
        dataset, _, name = table.partition(".")
        targets.add(Target(dataset, name))
    return sorted(targets)


def built(client: Client) -> list[Target]:
    """Every built table whose model is still in the dbt project.

    The last build of a removed model stays in the build dataset and does not count. Without a manifest (a project that
    was never parsed), every built table counts.
    """
    existing = {
        (dataset, table.table_id)
        for dataset in PUBLISHED
        for table in client.list_tables(dataset)
        if table.table_type not in _NOT_TABLES
    }
    modelled = _modelled()
    wanted = existing if modelled is None else existing & modelled
    return sorted(Target(PUBLISHED[dataset], name) for dataset, name in wanted)


def _modelled() -> set[tuple[str, str]] | None:
    try:
        manifest = read_manifest()
    except FileNotFoundError:
        return None
    return {(node["schema"], node["alias"]) for node in nodes_of(manifest, "model")}
