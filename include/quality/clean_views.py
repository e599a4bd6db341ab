"""The clean views of the dbt project: each shows a conformed view without its rows in quarantine, and later models read it.

They are models like any other, so dbt's graph shows them. This module refuses a project in which one is missing, or in which a later
model reads the conformed view instead.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from include.quality.rules import Gate, GateError, Rule
from include.quality.scope import tables_in
from include.sources import load_sources
from include.sources.feeds import feeds

_GATE = "great_expectations/gates/conformed.yml"
_FOLDER = "dbt/models/intermediate/clean"
_VIEWS = ("models/staging", "models/conformed")
_FOLDERS = ("models", "snapshots", "tests", "macros", "analyses")


def clean_view(view: str) -> str:
    """The name of the clean view of a conformed view: `clean_deals` of `conformed_deals`."""
    return f"clean_{view.removeprefix('conformed_')}"


def quarantine_rules(gates: Iterable[Gate]) -> dict[str, list[Rule]]:
    """Conformed view → its `quarantine` rules."""
    found: dict[str, list[Rule]] = {}
    for gate in gates:
        for rule in gate.rules:
            if rule.action == "quarantine":
                found.setdefault(_view_of(rule), []).append(rule)
    return dict(sorted(found.items()))


def check_clean_views(gates: Mapping[str, Gate], dbt: Path) -> None:
    """Check that quarantined rows reach no model past the conformed views.

    Args:
        gates: the gates by name.
        dbt: the folder of the dbt project.

    Raises:
        GateError: a conformed view with a `quarantine` rule has no clean view or one with another key; SQL past the conformed views,
            or a rule of a later gate, reads that view directly; or a clean view has no rule. The message says how to fix it.
    """
    ruled = quarantine_rules(gates.values())
    found = [path for name in _FOLDERS for path in sorted((dbt / name).rglob("*.sql"))]
    # A snapshot names what it reads in its YAML.
    found += sorted((dbt / "snapshots").rglob("*.yml"))
    files = {path: path.read_text(encoding="utf-8") for path in found}
    later = {path: text for path, text in files.items() if not any(path.is_relative_to(dbt / folder) for folder in _VIEWS)}
    for view, rules in ruled.items():
        _check_key(view, rules, later)
        _check_readers(view, rules[0].key, later)
        _check_later_gates(view, gates)
    unruled = {path.stem for path in later if path.stem.startswith("clean_")} - {clean_view(view) for view in ruled}
    if unruled:
        name = min(unruled)
        raise GateError(
            f"{_FOLDER}/{name}.sql: no rule quarantines rows of {name.replace('clean_', 'conformed_', 1)}, so every reader pays for the "
            "quarantine needlessly. Delete the model and let its readers read the conformed view."
        )


def _check_key(view: str, rules: Sequence[Rule], files: Mapping[Path, str]) -> None:
    clean = clean_view(view)
    if len({rule.key for rule in rules}) > 1:
        names = " and ".join(rule.name for rule in rules)
        raise GateError(f"{_GATE}: {names}: the `quarantine` rules of {view} need the same key, since its clean view has one.")
    text = next((text for path, text in files.items() if path.stem == clean), None)
    for rule in rules:
        condition = f"not_quarantined('{view}', key={list(rule.key)})"
        if text is None:
            raise GateError(
                f"{_GATE}: {rule.name}: no model leaves out the quarantined rows of {view}. "
                f"Add {_FOLDER}/{clean}.sql, which selects the rows of {view} where {condition}."
            )
        if _keys_in(view, text) != [rule.key]:
            raise GateError(f"{_FOLDER}/{clean}.sql: the key is not that of the rule {rule.name}. Write {condition}.")


def _check_readers(view: str, key: Sequence[str], files: Mapping[Path, str]) -> None:
    entity = view.removeprefix("conformed_")
    tables = "|".join(sorted({entity, *(table.name for _, table in feeds(load_sources()).get(entity, ()))}))
    argument = r"""(?:\w+\s*=\s*)?['"]"""
    raw = (
        rf"""unite\(\s*{argument}{entity}['"]"""
        rf"""|(?:all_versions|latest_rows|raw_table|source)\(\s*{argument}\w+['"],\s*{argument}(?:{tables})['"]"""
    )
    staged = rf"""ref\(\s*['"]stg_\w+?__(?:{tables})(?:__versions)?['"]|\bstaging\.stg_\w+?__(?:{tables})(?:__versions)?\b"""
    reads = re.compile(rf"""['"]{view}['"]|\bconformed\.{view}\b|{staged}|{raw}""")
    for path, text in files.items():
        if reads.search(text) and set(_keys_in(view, text)) != {tuple(key)}:
            raise GateError(
                f"{path}: it reads {view}, or the staging view or raw table behind it, of which rows may be in quarantine. "
                f"Read ref('{clean_view(view)}'), or add the condition not_quarantined('{view}', key={list(key)})."
            )


def _check_later_gates(view: str, gates: Mapping[str, Gate]) -> None:
    for gate in gates.values():
        for rule in gate.rules:
            if gate.gate != "conformed" and ("conformed", view) in tables_in(rule):
                raise GateError(
                    f"great_expectations/gates/{gate.gate}.yml: {rule.name}: it reads conformed.{view}, of which rows may be in "
                    f"quarantine. Read core.{clean_view(view)}."
                )


def _keys_in(view: str, text: str) -> list[tuple[str, ...]]:
    """The key of each condition `not_quarantined` on a view."""
    found = re.findall(rf"""not_quarantined\(\s*['"]{view}['"],\s*key=\[([^\]]*)\]""", text)
    return [tuple(re.findall(r"\w+", key)) for key in found]


def _view_of(rule: Rule) -> str:
    return rule.relation.partition(".")[2]
