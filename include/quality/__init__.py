"""Gates: each runs one checkpoint of Great Expectations at a layer's boundary, and blocks, quarantines or warns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from include.quality.gate import run_gate, run_gates
from include.quality.scope import Scope
from include.quality.verdict import GateBlocked, GateVerdict, Outcome

if TYPE_CHECKING:
    from pathlib import Path


def build_data_docs() -> Path:
    """Render every gate's latest results as web pages; returns the path of the page to begin with."""
    from include.quality.docs import build_data_docs

    return build_data_docs()


__all__ = ["GateBlocked", "GateVerdict", "Outcome", "Scope", "build_data_docs", "run_gate", "run_gates"]
