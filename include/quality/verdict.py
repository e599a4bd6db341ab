"""Outcomes of expectations, and the verdict of a gate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, get_args

from include.run_context import RunContext

#: Great Expectations' type of the expectations that compare two sides.
RECONCILIATION = "expect_sides_to_agree"
#: The action on a broken rule, and the verdict of a gate; mildest first.
Action = Literal["warn", "quarantine", "block"]
Verdict = Literal["pass", Action]
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)


@dataclass(frozen=True)
class Outcome:
    """The outcome of one expectation.

    Attributes:
        name, relation, action, reason: as its rule says.
        expectation_type: Great Expectations' type.
        column: the checked column, if the expectation has one.
        key: key columns of the rows that it counts.
        query: the rule's SQL, if it has any: it returns the rows that break the rule, or the sides to compare.
        success: whether it was met; False if it could not be evaluated.
        unexpected_count: rows that broke it, if it counts rows.
        observed: the observed value as text.
        error: why it could not be evaluated; else None.
        samples: keys of a few rows (or the parts) that broke it.
        sides: both sides of each part, for a reconciliation: `part`, `left_value`, `right_value`, `difference`, `row_count` of each.
    """

    name: str
    relation: str
    action: Action
    reason: str
    expectation_type: str
    column: str | None
    key: tuple[str, ...]
    query: str | None
    success: bool
    unexpected_count: int | None
    observed: str
    error: str | None = None
    samples: tuple[str, ...] = ()
    sides: tuple[Mapping[str, Any], ...] = ()

    @property
    def verdict(self) -> Verdict:
        """`pass`, or the action of a broken rule. An expectation that cannot be evaluated blocks, whatever its action."""
        if self.error is not None:
            return "block"
        return "pass" if self.success else self.action

    def line(self) -> str:
        """One line for people: the rule, its relation, the number of rows, the reason and a few keys."""
        if self.error is not None:
            return f"{self.verdict}: {self.name} on {self.relation} could not be evaluated: {self.error}"
        count = f"{self.unexpected_count:,} rows" if self.unexpected_count is not None else self.observed
        sentence = f"{self.verdict}: {self.name} on {self.relation}: {count}. {self.reason}"
        return f"{sentence} For example {', '.join(self.samples)}." if self.samples else sentence

    def reconciliation(self, gate: str, run: RunContext, evaluated_at: datetime) -> list[dict[str, Any]]:
        """The rows of `ops.reconciliation`, for all parts whether they agree or not."""
        about = {
            "run_id": run.run_id,
            "as_of": run.as_of,
            "gate": gate,
            "reconciliation": self.name,
            "evaluated_at": evaluated_at,
        }
        return [about | dict(side) for side in self.sides]

    def row(self, gate: str, run: RunContext, evaluated_at: datetime) -> dict[str, Any]:
        """The row of `ops.gate_results`."""
        return {
            "run_id": run.run_id,
            "as_of": run.as_of,
            "gate": gate,
            "relation": self.relation,
            "expectation": self.name,
            "expectation_type": self.expectation_type,
            "column_name": self.column,
            "action": self.action,
            "success": self.success,
            "unexpected_count": self.unexpected_count,
            "observed": (self.error or self.observed)[:2000],
            "verdict": self.verdict,
            "evaluated_at": evaluated_at,
        }


@dataclass(frozen=True)
class GateVerdict:
    """The verdict of one gate in one run: the severest of its expectations' verdicts.

    Attributes:
        gate: name of the gate.
        outcomes: one per expectation.
        quarantined: the number of its rows in quarantine after the run.
    """

    gate: str
    outcomes: tuple[Outcome, ...]
    quarantined: int = 0
    failures: tuple[Outcome, ...] = field(init=False)

    def __post_init__(self) -> None:
        failed = [outcome for outcome in self.outcomes if outcome.verdict != "pass"]
        failed.sort(key=lambda outcome: (-VERDICTS.index(outcome.verdict), outcome.relation, outcome.name))
        object.__setattr__(self, "failures", tuple(failed))

    @property
    def verdict(self) -> Verdict:
        """The severest verdict of its expectations."""
        return self.failures[0].verdict if self.failures else "pass"

    @property
    def message(self) -> str:
        """A headline, and a line for each expectation that failed, the severest first."""
        total = len(self.outcomes)
        in_quarantine = f"; {self.quarantined:,} rows in quarantine" if self.quarantined else ""
        headline = f"Gate {self.gate}: {self.verdict}, {total - len(self.failures)} of {total} expectations hold{in_quarantine}."
        return "\n".join([headline, *(f"- {outcome.line()}" for outcome in self.failures)])


class GateBlocked(RuntimeError):
    """A gate stops the pipeline. The message names each expectation that failed, where, how often, and why."""

    def __init__(self, verdict: GateVerdict) -> None:
        super().__init__(verdict.message)
        self.verdict = verdict
