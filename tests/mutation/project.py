"""A copy of the dbt project in which comments mark every place of a mutant, and its unit tests as dbt compiles them.

dbt compiles and runs each unit test once, with the marks. The SQL of a mutant is then the compiled SQL with the text between two marks replaced. So a
mutant of a macro changes every unit test whose SQL comes from the macro.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import zlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from include.manifest import read_manifest
from include.settings import ROOT
from tests.mutation.mutants import Mutant, mutants

_MARK = re.compile(r"/\*[<>][0-9a-f]+\.\d+\*/")


@dataclass(frozen=True)
class Place:
    """A mutant and where it is.

    Attributes:
        file: path from the root of the repository.
        model: name of the model, or of the file with the macro.
        line: number of the line, from 1.
        source: the text of the line, without spaces around it.
        before: the text at the place.
        mark: the name in its marks. It stays while its file stays, so that dbt parses only changed files again.
    """

    file: str
    model: str
    line: int
    source: str
    before: str
    mark: str
    mutant: Mutant

    @property
    def is_macro(self) -> bool:
        return self.file.startswith("dbt/macros/")

    @property
    def folder(self) -> str:
        """The layer and domain of its model, such as `core/revenue`, or `macros`."""
        return str(Path(self.file).parent.relative_to("dbt")).removeprefix("models/")

    def is_in(self, name: str) -> bool:
        """Whether the name is that of its model or file, or of a folder around it, such as `core/revenue`."""
        return name == self.model or f"/{name}/" in self.file


@dataclass(frozen=True)
class UnitTest:
    """A unit test. `marked` is the SQL of its model with its inputs and the marks, `columns` are those that it expects."""

    model: str
    name: str
    columns: tuple[str, ...]
    marked: str

    @cached_property
    def sql(self) -> str:
        return self._query(self.marked)

    def mutated(self, place: Place) -> str | None:
        """The query of a mutant; None if the test's SQL does not contain its place."""
        pattern = rf"/\*<{re.escape(place.mark)}\*/.*?/\*>{re.escape(place.mark)}\*/"
        sql, count = re.subn(pattern, lambda _: f" {place.mutant.after} ", self.marked, flags=re.DOTALL)
        return self._query(sql) if count else None

    def _query(self, sql: str) -> str:
        return f"select {', '.join(self.columns)} from (\n{_MARK.sub('', sql)}\n) as tested"


def sources() -> list[Path]:
    """The SQL of all models and macros."""
    return sorted([*(ROOT / "dbt" / "models").rglob("*.sql"), *(ROOT / "dbt" / "macros").rglob("*.sql")])


def _seeds() -> list[Path]:
    return sorted((ROOT / "dbt" / "seeds").rglob("*.csv"))


def mark(target: Path) -> list[Place]:
    """Write the copy with marks to `target`; returns the places of all mutants. Files that are the same as in the last copy keep their time."""
    places: list[Place] = []
    written = {}
    for path in sources():
        sql = path.read_text(encoding="utf-8")
        found = mutants(sql)
        file = zlib.crc32(str(path.relative_to(ROOT)).encode())
        marks = {span: f"{file:x}.{index}" for index, span in enumerate(sorted({(mutant.start, mutant.end) for mutant in found}))}
        written[path.relative_to(ROOT / "dbt")] = marked(sql, marks)
        places += [_place(path, sql, mutant, marks[mutant.start, mutant.end]) for mutant in found]
    for path in (ROOT / "dbt").rglob("*"):
        name = path.relative_to(ROOT / "dbt")
        if path.is_file() and name.parts[0] not in {"target", "logs"}:
            _write(target / name, written.get(name) or path.read_text(encoding="utf-8"))
    for path in [path for path in target.rglob("*") if path.is_file() and not (ROOT / "dbt" / path.relative_to(target)).exists()]:
        path.unlink()
    return places


def _place(path: Path, sql: str, mutant: Mutant, mark: str) -> Place:
    line = sql.count("\n", 0, mutant.start)
    source = sql.splitlines()[line].strip()
    return Place(str(path.relative_to(ROOT)), path.stem, line + 1, source, sql[mutant.start : mutant.end], mark, mutant)


def marked(sql: str, names: Mapping[tuple[int, int], str]) -> str:
    """The text with comments around every place (start, end) that has a name."""
    marks: dict[int, str] = defaultdict(str)
    for (start, end), name in names.items():
        if start == end:
            marks[start] += f"/*<{name}*//*>{name}*/"
        else:
            marks[end] = f"/*>{name}*/" + marks[end]
            marks[start] += f"/*<{name}*/"
    for position in sorted(marks, reverse=True):
        sql = sql[:position] + marks[position] + sql[position:]
    return sql


def _write(path: Path, text: str) -> None:
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


class Dbt:
    """dbt on the copy. The environment variables point at the warehouse."""

    def __init__(self, home: Path, as_of: str) -> None:
        self.project = home / "project"
        self._target = home / "target"
        self._as_of = as_of

    def run(self, *arguments: str) -> dict[str, dict[str, Any]]:
        """Run a command; results by the node's unique id.

        Raises:
            RuntimeError: dbt did not get as far as running nodes.
        """
        written = self._target / "run_results.json"
        written.unlink(missing_ok=True)
        folders = {
            "PROJECT_DIR": self.project,
            "PROFILES_DIR": self.project,
            "TARGET_PATH": self._target,
            "LOG_PATH": self._target,
        }
        done = subprocess.run(
            [Path(sys.prefix) / "bin" / "dbt", *arguments],
            cwd=ROOT,
            env={
                **os.environ,
                **{f"DBT_{key}": str(path) for key, path in folders.items()},
                "DBT_AS_OF": self._as_of,
                "DBT_RUN_ID": "mutation",
            },
            capture_output=True,
            text=True,
            check=False,
        )
        if not written.exists():
            raise RuntimeError(done.stdout[-4000:] + done.stderr)
        return {result["unique_id"]: result for result in json.loads(written.read_text())["results"]}

    def build_inputs(self, models: Sequence[str] | None) -> None:
        """Build the tables that these models read, or all: dbt reads the column types of a test's inputs from them.

        They stay in the warehouse until the SQL of a model, macro or seed changes.

        Raises:
            RuntimeError: a table is not built.
        """
        kept = self._target.with_name("built.json")
        code = hashlib.sha256(b"".join(path.read_bytes() for path in (*sources(), *_seeds()))).hexdigest()
        built = json.loads(kept.read_text()) if kept.exists() else {}
        have = set(built["models"]) if built.get("code") == code else set()
        wanted = {path.stem for path in sources() if "models" in path.parts} if models is None else set(models)
        if wanted <= have:
            return
        select = [f"+{model}" for model in sorted(wanted - have)]
        results = self.run("build", "--exclude-resource-type", "test", "unit_test", "snapshot", "--select", *select)
        failed = [f"{name}: {result['message']}" for name, result in results.items() if result["status"] == "error"]
        if failed:
            raise RuntimeError("\n".join(["Tables that are not built:", *failed]))
        kept.write_text(json.dumps({"code": code, "models": sorted(have | wanted)}))

    def unit_tests(self, models: Iterable[str] | None) -> list[UnitTest]:
        """Run the unit tests of these models, or of all; returns them as compiled.

        Raises:
            RuntimeError: a test fails without any mutant.
        """
        select = ["test_type:unit"] if models is None else [f"{model},test_type:unit" for model in models]
        shutil.rmtree(self._target / "compiled", ignore_errors=True)
        results = self.run("test", "--select", *select)
        results = {name: result for name, result in results.items() if name.startswith("unit_test.")}
        failed = [f"{name}: {result['message']}" for name, result in results.items() if result["status"] != "pass"]
        if failed:
            raise RuntimeError("\n".join(["Unit tests fail without a mutant:", *failed]))
        tests = read_manifest(self._target / "manifest.json")["unit_tests"]
        return [self._unit_test(tests[name]) for name in results]

    def _unit_test(self, node: Mapping[str, Any]) -> UnitTest:
        (compiled,) = (self._target / "compiled").rglob(f"{node['model']}.yml/**/{node['name']}.sql")
        return UnitTest(node["model"], node["name"], tuple(node["expect"]["rows"][0]), compiled.read_text(encoding="utf-8"))
