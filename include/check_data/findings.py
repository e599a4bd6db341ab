"""The form of a finding."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Severity = Literal["block", "warn"]


@dataclass(frozen=True)
class Finding:
    """Something that a run refuses, or that makes figures unknown or wrong.

    Attributes:
        table: the entity.
        column: the column as the file or the contract names it; None if the finding is one of whole rows.
        severity: `block`: a run refuses the folder. `warn`: it runs, and some figures are unknown or lack rows.
        kind: unreadable, missing_column, unknown_column, no_organization, empty, repeated, unknown_word, orphan, gap, future or no_rate.
        count: the number of rows, or of days for a gap.
        line: the line of an example in the file, from 1.
        message: what was found.
        remedy: what to do about it.
        file: the file of the example; None if the finding is about no row.
        words: unknown words, each with the known word that is most like it, if one is.
    """

    table: str
    column: str | None
    severity: Severity
    kind: str
    count: int
    line: int | None
    message: str
    remedy: str
    file: str | None = None
    words: tuple[tuple[str, str | None], ...] = ()
