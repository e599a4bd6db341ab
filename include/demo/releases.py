"""The releases of the product, and the current version at an instant."""

from __future__ import annotations

from include.demo import clock
from include.demo.clock import at

RELEASES: tuple[tuple[str, int], ...] = (
    ("1.0", at(2023, 9, 4, 10)),
    ("1.0.1", at(2024, 2, 13, 10)),
    ("1.1", at(2024, 10, 8, 10)),
    ("1.1.1", at(2025, 5, 20, 10)),
    ("1.2", at(2026, 6, 16, 10)),
    ("1.2.1", at(2026, 7, 7, 10)),
    ("1.3", at(2026, 11, 10, 10)),
)
"""Version and release time. Version 1.2 causes a spike of tickets."""

SPIKE = at(2026, 6, 16)
"""The day of the 1.2 release."""

_INSTANTS = [instant for _, instant in RELEASES]


def version_at(instant: int, behind: int = 0) -> str:
    """The current version at an instant, or the version `behind` releases earlier."""
    return RELEASES[max(0, clock.latest(_INSTANTS, instant) - behind)][0]
