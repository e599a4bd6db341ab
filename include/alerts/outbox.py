# ruff: noqa: S608 - SQL is put together from the platform's own names, never from data.
"""The outbox `ops.alerts`: what is to be told waits there until it is, and is claimed before it is sent."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal
from uuid import uuid4

from include.alerts.occurrence import Kind, Message, identifier
from include.alerts.routing import Channel
from include.terms import Criticality

if TYPE_CHECKING:
    from google.cloud.bigquery import Client, ScalarQueryParameter

Route = tuple[Channel, str]
State = Literal["pending", "sent", "failed", "substituted", "silent"]

#: How long a delivery has an alert to itself. If it is killed meanwhile, the next one sends it after that.
CLAIM = timedelta(minutes=10)
#: How far back open incidents are looked for.
_MEMORY = timedelta(days=35)
#: Seconds for which a warehouse that cannot be reached is tried.
_PATIENCE = 60.0

_LET_GO = """
    merge ops.alerts as t
    using (
        select
            written.alert_id,
            any_value(written.due) as due,
            countif(coalesce(alike.claimed_by, '') < @writer) > 0 as is_there
        from (
            select json_value(item, '$.alert_id') as alert_id, timestamp(json_value(item, '$.due')) as due
            from unnest(json_query_array(@due)) as item
        ) as written
        inner join ops.alerts as alike on written.alert_id = alike.alert_id
        group by written.alert_id
    ) as s
    on t.alert_id = s.alert_id and t.claimed_by = @writer
    when matched and s.is_there then delete
    when matched then update set claimed_by = null, next_attempt_at = s.due
"""


@dataclass(frozen=True)
class Alert:
    """A row of the outbox: one message for one route (None: nobody is sent it)."""

    alert_id: str
    incident_id: str
    kind: Kind
    severity: Criticality
    channel: Channel | None
    recipient: str | None
    subject: str
    message: Message
    state: State
    attempts: int
    next_attempt_at: datetime
    created_at: datetime
    sent_at: datetime | None = None
    error: str | None = None

    @classmethod
    def of(cls, message: Message, route: Route | None, ordinal: object, now: datetime, when: datetime) -> Alert:
        """A new alert, to be sent at `when`.

        Its id says which of its kind it is for its route, not what it holds: of two tasks that fail at once and each find
        nobody told, one gets its row in.
        """
        parts = (message.incident_id, message.kind, message.severity, message.step, *(route or ("",)), ordinal)
        return cls(
            alert_id=identifier(*parts),
            incident_id=message.incident_id,
            kind=message.kind,
            severity=message.severity,
            channel=route[0] if route else None,
            recipient=route[1] if route else None,
            subject=message.subject,
            message=message,
            state="pending",
            attempts=0,
            next_attempt_at=when,
            created_at=now,
        )

    @property
    def route(self) -> Route | None:
        return (self.channel, self.recipient) if self.channel and self.recipient else None

    def row(self) -> dict[str, Any]:
        """The row of `ops.alerts`."""
        values = asdict(self)
        del values["message"]
        return values | {"body_json": self.message.model_dump_json()}


class Outbox:
    """Reads and writes `ops.alerts`."""

    #: What is pending, if this outbox has read it and written nothing since.
    _pending: list[Alert] | None = None

    def __init__(self, client: Client | None = None) -> None:
        if client is None:
            from include.warehouse import client as new_client

            client = new_client()
        self.client = client

    def recent(self, now: datetime) -> list[Alert]:
        """What was written in the last weeks, oldest first."""
        found = self._read("created_at > @since order by created_at, alert_id", since=("TIMESTAMP", now - _MEMORY))
        self._pending = [alert for alert in found if alert.state == "pending"]
        return found

    def add(self, alerts: Sequence[Alert], silenced: Sequence[str], now: datetime) -> None:
        """Silence what is over and add what is new; what is there already stays as it is."""
        if alerts or silenced:
            self._pending = None
        if silenced:
            self.query(
                "update ops.alerts set state = 'silent', error = @why "
                "where created_at > @since and alert_id in unnest(split(@ids)) and state = 'pending'",
                ids=("STRING", ",".join(silenced)),
                why=("STRING", "over before it was told"),
                since=("TIMESTAMP", now - _MEMORY),
            )
        if alerts:
            self._insert(alerts, now)

    def _insert(self, alerts: Sequence[Alert], now: datetime) -> None:
        """Insert the alerts that are not there yet; of one that two processes insert at the same instant, one row stays.

        BigQuery puts two statements in an order only if both change rows that exist, not if they insert
        (cloud.google.com/bigquery/docs/data-manipulation-language#dml_statement_conflicts). So a row is inserted as claimed by its
        writer, who then changes it: it deletes its own if there is another that is not claimed so, or by a lesser writer, and
        otherwise lets go of it. Until then nobody sends it; if the writer is killed, it is due when the claim ends.
        """
        from include.ops import append

        # Sorts after the names of deliveries, which are hexadecimal.
        writer = f"writer {uuid4().hex}"
        held = {"claimed_by": writer, "next_attempt_at": now + CLAIM}
        append("ops.alerts", [alert.row() | held for alert in alerts], unless_present="alert_id", client=self.client)
        due = [{"alert_id": alert.alert_id, "due": alert.next_attempt_at.isoformat()} for alert in alerts]
        self.query(_LET_GO, writer=("STRING", writer), due=("STRING", json.dumps(due)))

    def claim(self, delivery: str, now: datetime) -> list[Alert]:
        """Take what is due, for this delivery alone. What a claim's end has given back is due again.

        What has failed most often comes last: a message that a channel refuses holds up no other.
        """
        if not self._is_due(now):
            return []
        self.query(
            "update ops.alerts set claimed_by = @delivery, attempts = attempts + 1, next_attempt_at = @until "
            "where state = 'pending' and next_attempt_at <= @now",
            delivery=("STRING", delivery),
            now=("TIMESTAMP", now),
            until=("TIMESTAMP", now + CLAIM),
        )
        claimed = self._read(
            "state = 'pending' and claimed_by = @delivery order by attempts, created_at, alert_id", delivery=("STRING", delivery)
        )
        return list({alert.alert_id: alert for alert in claimed}.values())

    def _is_due(self, now: datetime) -> bool:
        """Most looks find nothing due. Reading that is no change of the table, of which BigQuery allows 1,500 a day."""
        if self._pending is not None:
            return any(alert.next_attempt_at <= now for alert in self._pending)
        due = "select 1 from ops.alerts where state = 'pending' and next_attempt_at <= @now limit 1"
        return bool(list(self.query(due, now=("TIMESTAMP", now))))

    def told(self, message: Message) -> set[Channel]:
        """The channels by which the same message has been sent to somebody."""
        rows = self.query(
            "select distinct channel from ops.alerts "
            "where incident_id = @incident and kind = @kind and state = 'sent' and channel is not null "
            "and cast(json_value(body_json, '$.step') as int64) = @step",
            incident=("STRING", message.incident_id),
            kind=("STRING", message.kind),
            step=("INT64", message.step),
        )
        return {row["channel"] for row in rows}

    def mark(
        self,
        alert: Alert,
        delivery: str,
        state: State,
        *,
        sent_at: datetime | None = None,
        next_attempt_at: datetime | None = None,
        error: str | None = None,
    ) -> None:
        """Write down what became of a claimed alert, and give it back."""
        self.query(
            "update ops.alerts set state = @state, claimed_by = null, sent_at = @sent_at, error = @error, "
            "next_attempt_at = coalesce(@next_attempt_at, next_attempt_at) "
            "where alert_id = @alert_id and claimed_by = @delivery",
            state=("STRING", state),
            sent_at=("TIMESTAMP", sent_at),
            error=("STRING", error),
            next_attempt_at=("TIMESTAMP", next_attempt_at),
            alert_id=("STRING", alert.alert_id),
            delivery=("STRING", delivery),
        )

    def _read(self, condition: str, **parameters: tuple[str, Any]) -> list[Alert]:
        rows = self.query(f"select * from ops.alerts where {condition}", **parameters)
        return [_alert(dict(row.items())) for row in rows]

    def query(self, sql: str, **parameters: tuple[str, Any]) -> Iterable[Any]:
        """Run a statement; parameters are name → type and value."""
        from google.cloud import bigquery

        from include.warehouse import execute

        bound: list[ScalarQueryParameter] = [
            bigquery.ScalarQueryParameter(name, kind, value) for name, (kind, value) in parameters.items()
        ]
        # The client's own patience is ten minutes: too long for an alert, which can go out without the warehouse.
        job = execute(self.client, sql, bigquery.QueryJobConfig(query_parameters=bound), patience=_PATIENCE)
        rows: Iterable[Any] = job.result()
        return rows


def _alert(row: dict[str, Any]) -> Alert:
    message = Message.model_validate_json(row.pop("body_json"))
    row.pop("claimed_by")
    return Alert(message=message, **row)
