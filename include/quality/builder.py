"""The gates of the platform, and the Great Expectations context that follows from their rules."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

from include.quality import derived
from include.quality.clean_views import check_clean_views, quarantine_rules
from include.quality.figure_rules import figure_rules
from include.quality.parameters import FIGURES_GATE
from include.quality.render import CONFIGURATION, JSON_FOLDERS, render
from include.quality.rules import Gate, load_gates
from include.settings import settings
from include.sources import Source, load_sources


def gates(sources: Mapping[str, Source] | None = None) -> dict[str, Gate]:
    """Every gate of the platform: one raw gate per source, then the gates in YAML with the rules that the sources and the figures add."""
    found = load_sources() if sources is None else sources
    written = load_gates()
    extra = {
        "conformed": derived.conformed_rules(found),
        "core": derived.core_rules(found, quarantine_rules(written.values())),
        FIGURES_GATE: figure_rules(),
    }
    merged = {name: Gate(gate=name, rules=(*gate.rules, *extra.get(name, ()))) for name, gate in written.items()}
    return {source.dataset: derived.raw_gate(source) for source in found.values()} | merged


def write(files: Mapping[Path, str]) -> None:
    """Write files, and create their folders."""
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def build(check: bool = False) -> list[Path]:
    """Write the files that follow from the rules, or compare those of them that are committed.

    A gate that runs reads none of these files: it gets a temporary context (`include/quality/context.py`).

    Args:
        check: only compare.

    Returns:
        The committed files that differ from the rules. Unless `check`, they have been written, and the context's JSON too.

    Raises:
        GateError: see `load_gates` and `check_clean_views`.
    """
    folder = settings().gx_dir
    found = gates()
    check_clean_views(found, settings().dbt_dir)
    context = {folder / name: text for name, text in render({name: [gate] for name, gate in found.items()}).items()}
    committed = {folder / CONFIGURATION: context[folder / CONFIGURATION]}
    changed = [path for path, text in committed.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    if not check:
        for name in JSON_FOLDERS:
            shutil.rmtree(folder / name, ignore_errors=True)
        write(context)
    return changed
