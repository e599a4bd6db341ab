"""Generates the files that follow from the rules of the gates, or compares them: a Great Expectations context and a dbt macro."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from include.quality import derived
from include.quality.render import render
from include.quality.rules import Gate, load_gates
from include.settings import settings
from include.sources import Source, load_sources

#: In the dbt project. A view that no rule can quarantine does not read the quarantine.
_MACRO_FILE = "macros/quarantined_views.sql"
_MACRO = """\
{{#- The staging views whose rows a gate may hold in quarantine. Made by `python -m include.quality build` from the gates: do not edit. -#}}
{{% macro quarantined_views() %}}
    {{{{ return([{names}
    ]) }}}}
{{% endmacro %}}
"""
_FOLDERS = ("expectations", "validation_definitions", "checkpoints")


def gates(sources: Mapping[str, Source] | None = None, folder: Path | None = None) -> dict[str, Gate]:
    """Every gate of the platform: one raw gate per source, then the gates in YAML with the rules that the sources add."""
    found = load_sources() if sources is None else sources
    written = load_gates(folder)
    extra = {"staging": derived.staging_rules(found), "core": derived.core_rules(found, quarantined_in(written.values()))}
    merged = {name: Gate(gate=name, rules=(*gate.rules, *extra.get(name, ()))) for name, gate in written.items()}
    return {source.dataset: derived.raw_gate(source) for source in found.values()} | merged


def write(files: Mapping[Path, str]) -> None:
    """Write files, and create their folders."""
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def build(
    folder: Path | None = None,
    check: bool = False,
    sources: Mapping[str, Source] | None = None,
    dbt: Path | None = None,
) -> list[str]:
    """Write the files that follow from the rules, or compare them: the context, and the macro that names the views with rows in quarantine.

    Args:
        folder: the context's folder, with `gates/*.yml`. If it is missing, `folder` and `dbt` are those of the platform.
        check: only compare.
        sources: the sources; by default those of the platform.
        dbt: the dbt project that gets the macro; with a folder and without this, no macro is written.

    Returns:
        The files that differ from the rules. Unless `check`, they have been written or deleted to match the rules.
    """
    if folder is None:
        folder, dbt = settings().gx_dir, settings().dbt_dir
    found = gates(sources, folder / "gates")
    wanted = {folder / name: text for name, text in render({name: [gate] for name, gate in found.items()}).items()}
    if dbt is not None:
        wanted[dbt / _MACRO_FILE] = _macro(quarantined_in(found.values()))
    present = {path for name in _FOLDERS for path in (folder / name).rglob("*.json")}
    changed = [path for path, text in wanted.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    stray = present - wanted.keys()
    if not check:
        write({path: wanted[path] for path in changed})
        for path in stray:
            path.unlink()
    return [
        f"{top.name}/{path.relative_to(top)}"
        for path in [*sorted(changed), *sorted(stray)]
        for top in (folder, dbt)
        if top is not None and path.is_relative_to(top)
    ]


def quarantined_in(found: Iterable[Gate]) -> list[str]:
    """The staging views that have a `quarantine` rule."""
    return sorted({rule.relation.split(".")[1] for gate in found for rule in gate.rules if rule.action == "quarantine"})


def _macro(names: Sequence[str]) -> str:
    return _MACRO.format(names="".join(f"\n        '{name}'," for name in names))
