"""The error of the package."""

from __future__ import annotations


class ExplainError(ValueError):
    """A figure cannot be explained; the message names the fault and the remedy."""
