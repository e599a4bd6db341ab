"""Generates the Great Expectations context that follows from the rules of the gates, or compares it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from include.quality import derived
from include.quality.clean_views import check_clean_views, quarantine_rules
from include.quality.render import render
from include.quality.rules import Gate, load_gates
from include.settings import settings
from include.sources import Source, load_sources

_FOLDERS = ("expectations", "validation_definitions", "checkpoints")


def gates(sources: Mapping[str, Source] | None = None, folder: Path | None = None) -> dict[str, Gate]:
    """Every gate of the platform: one raw gate per source, then the gates in YAML with the rules that the sources add."""
    found = load_sources() if sources is None else sources
    written = load_gates(folder)
    extra = {"staging": derived.staging_rules(found), "core": derived.core_rules(found, quarantine_rules(written.values()))}
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
    """Write the context, or compare it with the rules.

    Args:
        folder: the context's folder, with `gates/*.yml`. If it is missing, `folder` and `dbt` are those of the platform.
        check: only compare.
        sources: the sources; by default those of the platform.
        dbt: the dbt project whose models the rules must fit; with a folder and without this, models are not checked.

    Returns:
        The files that differ from the rules. Unless `check`, they have been written or deleted to match the rules.

    Raises:
        GateError: see `load_gates` and `check_clean_views`.
    """
    if folder is None:
        folder, dbt = settings().gx_dir, settings().dbt_dir
    found = gates(sources, folder / "gates")
    if dbt is not None:
        check_clean_views(found, dbt)
    wanted = {folder / name: text for name, text in render({name: [gate] for name, gate in found.items()}).items()}
    present = {path for name in _FOLDERS for path in (folder / name).rglob("*.json")}
    changed = [path for path, text in wanted.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    stray = present - wanted.keys()
    if not check:
        write({path: wanted[path] for path in changed})
        for path in stray:
            path.unlink()
    return [f"{folder.name}/{path.relative_to(folder)}" for path in [*sorted(changed), *sorted(stray)]]
