"""The figures that will be unknown, because no row says what they need: the contract names them (`unknown_without`)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from include.contract import ROWS, contract


@dataclass(frozen=True)
class UnknownFigures:
    """Figures that nothing in the input gives what they need.

    Attributes:
        table: the entity.
        column: the column that no row has; None if the entity has no rows.
        figures: the figures, in the contract's words.
    """

    table: str
    column: str | None
    figures: str

    @property
    def missing(self) -> str:
        """What is missing."""
        return f"no {self.column} in {self.table}" if self.column else f"no {self.table}"


def unknown_figures(row_count: Callable[[str], int], value_count: Callable[[str, str], int]) -> Iterator[UnknownFigures]:
    """The unknown figures in the contract's order.

    Args:
        row_count: the number of rows of an entity, in all systems.
        value_count: the number of these rows that have a value of a column.
    """
    for name, entity in contract().items():
        if not row_count(name):
            if ROWS in entity.unknown_without:
                yield UnknownFigures(name, None, entity.unknown_without[ROWS])
            continue
        for column, figures in entity.unknown_without.items():
            if column != ROWS and not value_count(name, column):
                yield UnknownFigures(name, column, figures)
