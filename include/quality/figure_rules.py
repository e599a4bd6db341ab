"""The rules of the gate `marts` on figures of ended months: each table with figures has one that warns and one that blocks."""

from __future__ import annotations

from typing import Literal, get_args

from include.manifest import PUBLISHED
from include.quality.rules import Rule
from include.restatements import load_figures
from include.restatements.figures import beyond_sql

_Action = Literal["warn", "block"]
_REASONS: dict[_Action, str] = {
    "warn": "A figure of an ended month has changed by more than its first tolerance since it was published.",
    "block": "A figure of an ended month has changed by more than its second tolerance. A full refresh publishes it all the same.",
}


def figure_rules() -> list[Rule]:
    """The rules that follow from `great_expectations/figures.yml`."""
    builds = {published: build for build, published in PUBLISHED.items()}
    rules = []
    for table, figures in load_figures().tables.items():
        dataset, _, name = table.partition(".")
        relation = f"{builds[dataset]}.{name}"
        rules += [
            Rule(
                name=f"restatement_{action}s_{name}",
                relation=relation,
                action=action,
                reason=_REASONS[action],
                key=("figure",),
                rows=beyond_sql(table, figures, relation, action),
            )
            for action in get_args(_Action)
        ]
    return rules
