"""Narrows a gate to the tables that a run builds: leaves out the rules on tables that the run does not build."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from include import ops
from include.quality.rules import Gate, Rule
from include.sources import Source

# Raw tables do not limit the scope: the rules of a raw gate read only the rows of the load itself.
_RAW = "raw_"
_NAME = re.compile(rf"\b({'|'.join(ops.DATASETS)}|{_RAW}[a-z0-9_]+)\.([a-z][a-z0-9_]*)")


@dataclass(frozen=True)
class Scope:
    """The tables of a run that builds only some tables.

    Attributes:
        sources: the sources that it loads, each with only the loaded tables.
        relations: the tables and views that it builds, `dataset.table`.
        reused: the upstream tables and views that an earlier run has built.
    """

    sources: Mapping[str, Source]
    relations: frozenset[str]
    reused: frozenset[str] = frozenset()

    def covers(self, rule: Rule) -> bool:
        """Whether the run builds at least one table that the rule reads, and every other one is upstream of what it builds.

        Raw and audit tables do not count: every run has them.
        """
        names = {rule.relation, *(f"{dataset}.{table}" for dataset, table in tables_in(rule))}
        read = {name for name in names if name not in ops.TABLES and not name.startswith(_RAW)}
        return read <= self.relations | self.reused and (not read or bool(read & self.relations))

    def narrow(self, gate: Gate) -> Gate | None:
        """The gate with the rules that apply to the run; None if there is none."""
        rules = tuple(rule for rule in gate.rules if self.covers(rule))
        return Gate(gate=gate.gate, rules=rules) if rules else None


def tables_in(rule: Rule) -> list[tuple[str, str]]:
    """Dataset and name of each table in the rule's SQL, once per mention."""
    return _NAME.findall(rule.rows or rule.reconcile or "")
