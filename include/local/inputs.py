"""The line of the summary about the input report of a nightly run."""

from __future__ import annotations

from include.check_data.nightly import DESCRIPTIONS
from include.warehouse import rows


def input_line(run_id: str) -> str:
    """How many tables a run has checked, and its findings by kind, the most frequent first. The warehouse must be up."""
    sql = "select kind, count(*) as row_count from ops.input_report where run_id = @run_id group by kind order by 2 desc, 1"
    counts = {row["kind"]: row["row_count"] for row in rows(sql, {"run_id": run_id}, tool="summary")}
    if not counts:
        return "Input report: none was written; the log of the task input_report says why"
    findings = {kind: count for kind, count in counts.items() if kind not in DESCRIPTIONS}
    named = ", ".join(f"{count} {kind}" for kind, count in findings.items()) or "no findings"
    return f"Input report of {counts.get('table', 0)} tables: {named} (ops.input_report)"
