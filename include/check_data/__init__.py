"""Checks a folder of exports or CSV files against the input contract before a run reads it: what is there, what is missing, what is unknown."""

from include.check_data.report import Finding, Report, TableSummary, check

__all__ = ["Finding", "Report", "TableSummary", "check"]
