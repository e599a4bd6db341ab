"""Published figures about months that have ended: their record, their restatements with reasons, and the months that are closed."""

from include.restatements.close import CloseError, close_months, parse_month, reopen_months
from include.restatements.figures import FiguresError, load_figures
from include.restatements.page import restatement_table, restatements, write_page
from include.restatements.record import record_figures
from include.restatements.versions import code_versions

__all__ = [
    "CloseError",
    "FiguresError",
    "close_months",
    "code_versions",
    "load_figures",
    "parse_month",
    "record_figures",
    "reopen_months",
    "restatement_table",
    "restatements",
    "write_page",
]
