"""What goes wrong on a laptop, said in one sentence."""

from __future__ import annotations


class StackError(RuntimeError):
    """The stack cannot start or a run cannot finish; the message is one clear sentence for the person at the shell."""
