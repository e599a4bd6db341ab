"""The error of folders that hold exports."""

from __future__ import annotations


class ExportError(ValueError):
    """A folder cannot be used as it is. The message names the file, the key and the remedy."""
