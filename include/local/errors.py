"""The error of the local stack."""

from __future__ import annotations


class StackError(RuntimeError):
    """The stack cannot start or a run has failed. The message is one sentence for the user."""
