"""Exports as the systems of vendors write them: which files of a folder they are, and the sources that map them to the contract."""

from include.exports.errors import ExportError
from include.exports.folder import Delivery, Found, find
from include.exports.project import Project, prepare
from include.exports.reading import Exported, read_exported

__all__ = ["Delivery", "ExportError", "Exported", "Found", "Project", "find", "prepare", "read_exported"]
