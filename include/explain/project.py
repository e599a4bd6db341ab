"""The dbt project as SQL: what each table is computed from, compiled at the as-of time of a publication."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlglot import exp, parse_one
from sqlglot.optimizer.qualify import qualify

from include.explain.conditions import DIALECT
from include.manifest import (
    PROFILE,
    PUBLISHED,
    TARGET,
    Manifest,
    Node,
    ensure_manifest,
    nodes_of,
    parents_of,
    published_name,
    read_manifest,
)
from include.settings import ROOT, settings
from include.warehouse import identity

#: Compiled projects that are kept.
_KEPT = 5
#: The longest time for `dbt compile`; it takes 10 to 30 seconds.
_COMPILE_SECONDS = 300
_NUMERIC = ("int64", "numeric", "bignumeric", "float64")


class ExplainError(ValueError):
    """A figure cannot be explained; the message names the fault and the remedy."""


@dataclass(frozen=True)
class Relation:
    """A table or view: a model, a seed or a table of a source.

    Attributes:
        name: `dataset.table`, as it is built.
        quoted: its name in compiled SQL.
        columns: column → type, lower case; `string` where none is declared.
        described: column → description.
        sql: the compiled SQL of a model; None for seeds and raw tables.
        parents: the names of the relations that it reads.
        node: dbt's node.
    """

    name: str
    quoted: str
    columns: Mapping[str, str]
    described: Mapping[str, str]
    sql: str | None
    parents: tuple[str, ...]
    node: Node

    @property
    def is_core(self) -> bool:
        """Whether its rows are shown as those that enter a figure: core, its seeds, history and conformed; not a step between tables."""
        kept = self.node["resource_type"] != "model" or self.node["config"]["materialized"] == "incremental"
        return kept or not (self.name.split(".")[0] in PUBLISHED or self.node["name"].startswith("int_"))

    @property
    def is_source(self) -> bool:
        """Whether raw is directly behind it: a staging, conformed or clean view, a raw table or a seed."""
        return self.sql is None or self.node["name"].startswith(("stg_", "conformed_", "clean_"))

    @property
    def personal(self) -> frozenset[str]:
        """Its columns that dbt's YAML marks as personal data under another name than the source's."""
        columns = self.node["columns"].items()
        return frozenset(name for name, column in columns if column.get("config", {}).get("meta", {}).get("pii"))

    @property
    def numbers(self) -> list[str]:
        """Its numeric columns."""
        return [column for column, kind in self.columns.items() if kind.startswith(_NUMERIC)]


class Project:
    """The relations of a compiled dbt project."""

    def __init__(self, manifest: Manifest) -> None:
        self.manifest = manifest
        self.relations: dict[str, Relation] = {}
        nodes = [*manifest["sources"].values(), *nodes_of(manifest, "seed", "snapshot", "model")]
        names = {node["unique_id"]: _name(node) for node in nodes}
        for node in nodes:
            parents = tuple(names[key] for key in parents_of(node) if key in names)
            self.relations[_name(node)] = Relation(
                _name(node),
                str(node["relation_name"]),
                {name: (column.get("data_type") or "string").lower() for name, column in node["columns"].items()}
                or _header(node),
                {name: " ".join(column["description"].split()) for name, column in node["columns"].items()},
                node.get("compiled_code"),
                parents,
                node,
            )
        for relation in list(self.relations.values()):
            # A clean view has the columns of its conformed view.
            if not relation.columns and relation.parents and relation.node["name"].startswith("clean_"):
                conformed = next(self.relations[name] for name in relation.parents if name.startswith("conformed."))
                self.relations[relation.name] = replace(relation, columns=conformed.columns, described=conformed.described)
        self._queries: dict[str, exp.Expression] = {}

    def published(self, table: str) -> Relation:
        """The relation behind a published table such as `marts.mart_nrr_summary`."""
        return next(relation for relation in self.relations.values() if relation.sql and published_name(relation.node) == table)

    def tests_of(self, names: Collection[str]) -> list[str]:
        """dbt's ids of the data tests that read these relations and no others."""
        keys = {self.relations[name].node["unique_id"] for name in names}
        tests = nodes_of(self.manifest, "test")
        return [node["unique_id"] for node in tests if (read := parents_of(node)) and keys.issuperset(read)]

    def query(self, name: str) -> exp.Expression:
        """The parsed SQL of a model: every column with its table, every star expanded. Callers must not change it."""
        if name not in self._queries:
            relation = self.relations[name]
            schema: dict[str, dict[str, dict[str, Mapping[str, str]]]] = {}
            for parent in relation.parents:
                dataset, table = parent.split(".")
                project = str(self.relations[parent].quoted).split(".")[0].strip("`")
                schema.setdefault(project, {}).setdefault(dataset, {})[table] = self.relations[parent].columns or {"_": "string"}
            parsed = parse_one(str(relation.sql), dialect=DIALECT)
            self._queries[name] = qualify(
                parsed, dialect=DIALECT, schema=schema, quote_identifiers=False, validate_qualify_columns=False
            )
        return self._queries[name]


@lru_cache(maxsize=4)
def compiled_project(as_of: datetime) -> Project:
    """The project as it is now, compiled at an as-of time. The compiled SQL is kept in the state folder for the next time.

    Raises:
        ExplainError: dbt could not compile the project, or not in time; the message contains dbt's own.
    """
    ensure_manifest(lambda _: None)
    folder = settings().state_dir / "explain"
    kept = folder / f"{_digest(as_of)}.json"
    if not kept.exists():
        folder.mkdir(parents=True, exist_ok=True)
        # Others may compile at the same time, so each does it in a folder of its own.
        with TemporaryDirectory(dir=folder) as own:
            _compile(as_of, Path(own))
            (Path(own) / "manifest.json").replace(kept)
        for old in sorted(folder.glob("*.json"), key=lambda path: path.stat().st_mtime)[:-_KEPT]:
            old.unlink(missing_ok=True)
    return Project(read_manifest(kept))


def check_published(table: str) -> None:
    """Check that a model builds a published table of this name.

    Raises:
        ExplainError: none does; the message names similar tables.
    """
    ensure_manifest(lambda _: None)
    known = [published_name(node) for node in nodes_of(read_manifest(), "model") if node["schema"] in PUBLISHED]
    if table not in known:
        raise ExplainError(f"{table} is not a published table.{nearest(table, known)}")


def nearest(name: str, known: list[str]) -> str:
    """The hint `Did you mean …?`; empty if nothing is similar."""
    from difflib import get_close_matches

    found = get_close_matches(name, known, n=3, cutoff=0.5)
    return f" Did you mean {' or '.join(found)}?" if found else ""


def _compile(as_of: datetime, folder: Path) -> None:
    dbt = str(settings().dbt_dir)
    parse = settings().manifest.with_name("partial_parse.msgpack")
    if parse.exists():
        shutil.copy(parse, folder)
    command = [str(Path(sys.prefix) / "bin" / "dbt"), "--quiet", "compile", "--select", "resource_type:model", "--full-refresh"]
    command += ["--no-populate-cache", "--project-dir", dbt, "--profiles-dir", dbt, "--profile", PROFILE, "--target", TARGET]
    command += ["--target-path", str(folder), "--log-path", str(folder)]
    variables = {**os.environ, **identity().dbt_environment(), "DBT_AS_OF": as_of.isoformat()}
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, cwd=ROOT, env=variables, timeout=_COMPILE_SECONDS
        )
    except subprocess.TimeoutExpired as error:
        raise ExplainError(f"`dbt compile` did not end within {_COMPILE_SECONDS} s.") from error
    if done.returncode:
        raise ExplainError(f"`dbt compile` failed:\n{done.stdout[-3000:]}")


def _digest(as_of: datetime) -> str:
    """A digest of everything that the compiled SQL depends on."""
    manifest = read_manifest()
    code = sorted(node["checksum"]["checksum"] for node in manifest["nodes"].values() if node.get("checksum"))
    macros = sorted(macro["macro_sql"] for macro in manifest["macros"].values())
    described = sorted((node["unique_id"], node["columns"]) for node in nodes_of(manifest, "model"))
    variables = (settings().dbt_dir / "dbt_project.yml").read_text(encoding="utf-8")
    text = json.dumps([settings().project, as_of.isoformat(), code, macros, described, variables], default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _name(node: Node) -> str:
    return f"{node['schema']}.{node.get('alias') or node['identifier']}"


def _header(node: Node) -> dict[str, str]:
    """The columns of a seed that its YAML does not list."""
    if node["resource_type"] != "seed":
        return {}
    with (settings().dbt_dir / node["original_file_path"]).open(encoding="utf-8", newline="") as lines:
        return dict.fromkeys(next(csv.reader(lines)), "string")
