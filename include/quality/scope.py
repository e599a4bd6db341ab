"""A gate narrowed to the tables that a run makes: the same rules, less those that would judge tables which are older than the run."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from include import ops
from include.quality.rules import Gate, Rule
from include.sources import Source

# A raw table is as old as its rows say, and a rule of a raw gate only looks at the landing's own.
_RAW = "raw_"
_NAME = re.compile(rf"\b({'|'.join(ops.DATASETS)}|{_RAW}[a-z0-9_]+)\.([a-z][a-z0-9_]*)")


@dataclass(frozen=True)
class Scope:
    """What a run that makes only some tables is judged by.

    Attributes:
        sources: what it lands, each source with these tables alone.
        relations: what it builds, `dataset.table`.
        taken: what it builds that from, as an earlier run left it.
    """

    sources: Mapping[str, Source]
    relations: frozenset[str]
    taken: frozenset[str] = frozenset()

    def covers(self, rule: Rule) -> bool:
        """Whether the run builds at least one table that the rule reads, and every other one is upstream of what it builds.

        Raw and audit tables do not count: they are there for every run.
        """
        names = {rule.relation, *(f"{dataset}.{table}" for dataset, table in tables_in(rule))}
        read = {name for name in names if name not in ops.TABLES and not name.startswith(_RAW)}
        return read <= self.relations | self.taken and (not read or bool(read & self.relations))

    def narrow(self, gate: Gate) -> Gate | None:
        """The gate with the rules that the run is judged by; None if there is none."""
        rules = tuple(rule for rule in gate.rules if self.covers(rule))
        return Gate(gate=gate.gate, rules=rules) if rules else None


def tables_in(rule: Rule) -> list[tuple[str, str]]:
    """Dataset and name of each table that the rule's SQL names, as often as it names it."""
    return _NAME.findall(rule.rows or rule.reconcile or "")
