"""The audit tables of a small company, as its DAGs write them: two sources, and tables of three cadences."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from google.cloud.bigquery import Client

from include import ops
from tests.include.freshness.timeline import at


def model(name: str, schema: str, parents: list[str], sla: dict[str, str] | None = None, **more: Any) -> dict[str, Any]:
    config = {"enabled": True, "meta": {"sla": sla} if sla else {}}
    node = {"resource_type": "model", "name": name, "alias": name, "schema": schema, "group": "finance", "config": config}
    return node | {"unique_id": f"model.{name}", "depends_on": {"nodes": parents}} | more


def manifest(*models: dict[str, Any]) -> dict[str, Any]:
    sources = {
        f"source.{source}.{table}": {"schema": schema, "identifier": table}
        for source, schema, table in (
            ("crm", "raw_crm", "deals"),
            ("crm", "raw_crm", "users"),
            ("support", "raw_support", "tickets"),
            ("reference", "raw_reference", "holidays"),
            ("quarantine", "quarantine", "quarantined_rows"),
        )
    }
    return {"nodes": {node["unique_id"]: node for node in models}, "sources": sources}


MANIFEST = manifest(
    model("stg_deals", "staging", ["source.crm.deals", "source.quarantine.quarantined_rows"]),
    model("stg_users", "staging", ["source.crm.users"]),
    model("stg_tickets", "staging", ["source.support.tickets"]),
    model("fct_deals", "core", ["model.stg_deals", "model.stg_users"]),
    model(
        "mart_nightly",
        "marts_build",
        ["model.fct_deals", "model.stg_tickets"],
        {"cadence": "daily", "fresh_within": "6h", "criticality": "medium"},
    ),
    model("mtr_hourly", "metrics_build", ["model.fct_deals"], {"cadence": "hourly", "fresh_within": "2h", "criticality": "high"}),
    model(
        "mart_quarter",
        "marts_build",
        ["model.stg_tickets"],
        {"cadence": "every 15 minutes", "fresh_within": "1h", "criticality": "critical"},
        group="customer_success",
    ),
)


class AuditTables:
    """Writes what DAGs write: loads, runs, publications, verdicts of gates."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def load(self, raw_table: str, as_of: str, loaded: str, run_id: str = "nightly") -> None:
        source, table = raw_table.split(".")
        row = {"batch_id": f"{source}@{at(as_of):%Y-%m-%dT%H%M%SZ}", "run_id": run_id, "source": source, "table_name": table}
        row |= {"extracted_at": at(loaded) - timedelta(seconds=20), "loaded_at": at(loaded)}
        ops.append("ops.loads", [row], client=self._client)

    def run(self, dag_id: str, run_id: str, as_of: str, started: str, finished: str | None, **more: Any) -> None:
        row = {"run_id": run_id, "dag_id": dag_id, "as_of": at(as_of), "started_at": at(started)}
        row |= {"state": "success" if finished else "running", "finished_at": at(finished) if finished else None} | more
        ops.append("ops.pipeline_runs", [row], replace_where={"run_id": run_id, "dag_id": dag_id}, client=self._client)

    def publish(self, table: str, run_id: str, as_of: str, published: str, state: str = "published") -> None:
        dataset, name = table.split(".")
        row = {"table_name": name, "dataset": dataset, "build_dataset": f"{dataset}_build", "run_id": run_id}
        row |= {"as_of": at(as_of), "published_at": at(published), "state": state}
        ops.append("ops.publications", [row], client=self._client)

    def block(self, gate: str, run_id: str, evaluated: str, expectation: str = "no_orphans") -> None:
        row = {"run_id": run_id, "gate": gate, "relation": f"{gate}.t", "expectation": expectation, "action": "block"}
        row |= {"success": False, "unexpected_count": 1234, "verdict": "block", "evaluated_at": at(evaluated)}
        ops.append("ops.gate_results", [row], client=self._client)

    def nightly_run(self, day: str, published: str = "02:20", late: str | None = None) -> None:
        """A whole nightly run: both sources are loaded, except for the late one, and everything is published."""
        for raw_table in ("crm.deals", "crm.users", "support.tickets"):
            if raw_table.partition(".")[0] != late:
                self.load(raw_table, f"{day} 00:00", f"{day} 02:03")
        begun = at(f"{day} {published}") - timedelta(minutes=15)
        self.run("transform", f"nightly-{day}", f"{day} 00:00", f"{begun:%d %H:%M}", f"{day} {published}")
        for table in ("marts.mart_nightly", "metrics.mtr_hourly", "marts.mart_quarter"):
            self.publish(table, f"nightly-{day}", f"{day} 00:00", f"{day} {published}")


def recorded(client: Client, table: str = "marts.mart_nightly") -> list[tuple[str, datetime, datetime]]:
    """The state, deadline and time of every recorded event of a table."""
    sql = "select dataset, table_name, state, due_at, measured_at from ops.freshness_events order by measured_at"
    found = [tuple(row.values()) for row in client.query(sql).result()]
    return [row[2:] for row in found if f"{row[0]}.{row[1]}" == table]
