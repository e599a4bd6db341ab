"""Writes the files of the dbt project that follow from the source YAMLs, so that both always agree."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from pathlib import Path

from include.sources import dbt_sources, staging
from include.sources.schema import Source


def _rendered(sources: Mapping[str, Source], dbt_dir: Path) -> dict[Path, str]:
    """The text of every generated file."""
    texts = {
        dbt_dir / dbt_sources.MACRO_FILE: dbt_sources.render_macro(sources),
        dbt_dir / staging.FEEDS_FILE: staging.render_feeds(sources),
    }
    for source in sources.values():
        texts[dbt_sources.path_of(source, dbt_dir)] = dbt_sources.render(source)
        texts |= staging.rendered(source, dbt_dir)
    return texts


def write(sources: Mapping[str, Source], dbt_dir: Path) -> list[Path]:
    """Write every file whose content differs, and delete generated views that no table has; returns the paths of these files."""
    changed = []
    expected = _rendered(sources, dbt_dir)
    for path, text in expected.items():
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            changed.append(path)
    for path in _superseded(dbt_dir, expected):
        path.unlink()
        changed.append(path)
    return changed


def undeclared(sources: Mapping[str, Source], dbt_dir: Path) -> list[str]:
    """A message for each hand-written staging view whose raw table no source file declares. dbt could not parse these views."""
    declared = {staging.view_of(source, table) for source in sources.values() for table in source.tables.values()}
    generated = staging.generated_views(dbt_dir)
    return [
        f"{view.parent.name}.yml: tables.{view.stem.partition('__')[2]} is missing, and {view.stem} reads it. "
        "Declare the table, or delete the view."
        for view in sorted((dbt_dir / "models" / "staging").glob("*/stg_*.sql"))
        if view.stem not in declared and view not in generated
    ]


def drift(sources: Mapping[str, Source], dbt_dir: Path) -> str:
    """A unified diff between the existing files and the generated text; empty if they agree.

    A generated file that no source YAML asks for also counts as drift.
    """
    parts: list[str] = []
    expected = _rendered(sources, dbt_dir)
    present = _superseded(dbt_dir, expected) | set((dbt_dir / "models" / "staging").glob("*/_*__sources.yml"))
    for path in sorted(present | set(expected)):
        old = path.read_text(encoding="utf-8") if path.exists() else ""
        new = expected.get(path, "")
        name = path.relative_to(dbt_dir).as_posix()
        if old != new:
            diff = difflib.unified_diff(old.splitlines(True), new.splitlines(True), name, f"{name} (generated)")
            parts.append("".join(diff))
    return "\n".join(parts)


def _superseded(dbt_dir: Path, expected: Mapping[Path, str]) -> set[Path]:
    """The generated views, and the files that describe them, that no table of a source has any longer."""
    described = set((dbt_dir / "models" / "staging").glob("*/_*__staging.yml"))
    return (staging.generated_views(dbt_dir) | described) - set(expected)
