"""Reads and validates the rules of a gate that people write: `great_expectations/gates/<gate>.yml`.

Raw gates are not written but derived from the sources: see `include/quality/derived.py`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from include.quality.verdict import Action
from include.settings import settings

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$", max_length=100)]
Relation = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*$")]


class GateError(ValueError):
    """A gate's declaration is wrong; the message names the file, the rule and the key."""


class Rule(BaseModel):
    """One rule on one relation, and the action if it is broken.

    Exactly one of `rows`, `reconcile` and `expect` defines it:

    - `rows`: SQL that returns the rows that break the rule, with all columns, the key under its own column names;
    - `reconcile`: SQL that returns `part`, `left_value`, `right_value` and `row_count`, one row per part; the
      gate writes them to `ops.reconciliation`. The rule is met if no difference exceeds `tolerance`;
    - `expect`: an expectation of Great Expectations, by its `type` and arguments.

    SQL is GoogleSQL with `dataset.table` names and the run's parameters `@run_id`, `@as_of`, `@batch_id`, `@full_refresh`,
    `@code_versions`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Name
    relation: Relation
    action: Action
    reason: str = Field(min_length=10)
    key: tuple[str, ...] = ()
    rows: str | None = None
    reconcile: str | None = None
    tolerance: float = Field(0.0, ge=0)
    expect: dict[str, Any] | None = None

    @model_validator(mode="after")
    def _one_definition(self) -> Rule:
        if sum(part is not None for part in (self.rows, self.reconcile, self.expect)) != 1:
            raise ValueError("give exactly one of rows, reconcile and expect")
        if self.expect is not None and "type" not in self.expect:
            raise ValueError("expect needs the type of the expectation")
        if self.action == "quarantine":
            if self.rows is None or not self.key:
                raise ValueError("a quarantine rule needs rows and their key")
            if not self.relation.startswith("conformed."):
                raise ValueError(
                    "only rows of conformed views can be quarantined: the clean views behind the gate leave them out"
                )
        return self


class Gate(BaseModel):
    """A gate: the rules at one layer boundary, run as one checkpoint."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    gate: Name
    rules: tuple[Rule, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _names_are_unique(self) -> Gate:
        names = [rule.name for rule in self.rules]
        repeated = sorted({name for name in names if names.count(name) > 1})
        if repeated:
            raise ValueError(f"rule names must be unique within a gate; used twice: {', '.join(repeated)}")
        return self


def load_gates(folder: Path | None = None) -> dict[str, Gate]:
    """The gates in YAML by name, in the order of their file names.

    Raises:
        GateError: naming the file and what is wrong in it.
    """
    folder = folder or settings().gx_dir / "gates"
    gates = {}
    for path in sorted(folder.glob("*.yml")):
        gate = _read(path)
        if gate.gate != path.stem:
            raise GateError(f"{path}: gate is {gate.gate!r}, but the file's name says {path.stem!r}.")
        gates[gate.gate] = gate
    return gates


def _read(path: Path) -> Gate:
    try:
        return Gate.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except yaml.YAMLError as error:
        raise GateError(f"{path}: {error}") from error
    except ValidationError as error:
        lines = [f"{path}: {'.'.join(str(part) for part in problem['loc'])}: {problem['msg']}" for problem in error.errors()]
        raise GateError("\n".join(lines)) from error
