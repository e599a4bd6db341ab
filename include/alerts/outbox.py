# ruff: noqa: S608 - SQL is put together from the platform's own names, never from data.
"""The outbox `ops.alerts`: alerts wait there until they are due, and are claimed before they are sent."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal
from uuid import uuid4

from include.alerts.occurrence import Kind, Message, identifier
from include.terms import Channel, Criticality
from include.warehouse import Row, rows

if TYPE_CHECKING:
    from google.cloud.bigquery import Client

Route = tuple[Channel, str]
State = Literal["pending", "sent", "failed", "substituted", "suppressed"]

#: Former names of states, in rows of earlier releases.
_FORMER_STATES: dict[str, State] = {"silent": "suppressed"}

#: Reason in `error` of an alert that is suppressed because its incident was resolved before it was sent.
RESOLVED_FIRST = "resolved before it was sent"
#: The time after which a claim expires. If a delivery is killed, the next one sends its alerts after this time.
CLAIM = timedelta(minutes=10)
#: Maximum age of the alerts that are read to find open incidents.
_MAX_AGE = timedelta(days=35)
#: Seconds after which an unreachable warehouse is given up.
_PATIENCE = 60.0

_RELEASE_CLAIMS = """
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
    """A row of the outbox: one message for one route. Without a route it is never sent, only recorded."""

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

        The id depends on the incident, kind, route and ordinal, not on the content. So if two tasks of a DAG fail at the
        same moment, both create the same id, and only one row is stored.
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

    #: The pending alerts, if this outbox has read them and written nothing since.
    _pending: list[Alert] | None = None

    def __init__(self, client: Client | None = None) -> None:
        if client is None:
            from include.warehouse import client as new_client

            client = new_client()
        self.client = client

    def recent(self, now: datetime) -> list[Alert]:
        """The alerts of the last 35 days, oldest first."""
        found = self._read("created_at > @since order by created_at, alert_id", since=now - _MAX_AGE)
        self._pending = [alert for alert in found if alert.state == "pending"]
        return found

    def add(self, alerts: Sequence[Alert], suppressed: Sequence[str], now: datetime) -> None:
        """Add the new alerts and suppress pending alerts of resolved incidents. Existing rows are not replaced.

        Args:
            alerts: the new alerts.
            suppressed: ids of the alerts to suppress.
            now: the current time.
        """
        if alerts or suppressed:
            self._pending = None
        if suppressed:
            self.query(
                "update ops.alerts set state = 'suppressed', error = @why "
                "where created_at > @since and alert_id in unnest(@ids) and state = 'pending'",
                ids=list(suppressed),
                why=RESOLVED_FIRST,
                since=now - _MAX_AGE,
            )
        if alerts:
            self._insert(alerts, now)

    def _insert(self, alerts: Sequence[Alert], now: datetime) -> None:
        """Insert the alerts that do not exist yet. If two processes insert the same alert at once, one row remains.

        BigQuery does not serialize concurrent inserts, only statements that change existing rows
        (cloud.google.com/bigquery/docs/data-manipulation-language#dml_statement_conflicts). So each writer inserts its rows as
        claimed by itself, and then changes them in a second statement. That statement deletes its own row if the same
        alert exists without a writer's claim, or claimed by a writer whose name sorts first. Otherwise it releases the claim.
        A claimed row is not sent. If the writer is killed, the row is due when the claim expires.
        """
        from include.ops import append

        # "writer" sorts after the names of deliveries, which are hexadecimal.
        writer = f"writer {uuid4().hex}"
        claim = {"claimed_by": writer, "next_attempt_at": now + CLAIM}
        append("ops.alerts", [alert.row() | claim for alert in alerts], unless_present="alert_id", client=self.client)
        due = [{"alert_id": alert.alert_id, "due": alert.next_attempt_at.isoformat()} for alert in alerts]
        self.query(_RELEASE_CLAIMS, writer=writer, due=json.dumps(due))

    def claim(self, delivery: str, now: datetime) -> list[Alert]:
        """Claim all alerts that are due, so that no other delivery sends them. Alerts of expired claims are due again.

        Alerts with the most attempts come last, so that a message that a channel refuses does not delay the others.
        """
        if not self._is_due(now):
            return []
        self.query(
            "update ops.alerts set claimed_by = @delivery, attempts = attempts + 1, next_attempt_at = @until "
            "where state = 'pending' and next_attempt_at <= @now",
            delivery=delivery,
            now=now,
            until=now + CLAIM,
        )
        claimed = self._read(
            "state = 'pending' and claimed_by = @delivery order by attempts, created_at, alert_id", delivery=delivery
        )
        return list({alert.alert_id: alert for alert in claimed}.values())

    def _is_due(self, now: datetime) -> bool:
        """Whether an alert is due. Usually none is. A query checks this, because BigQuery allows only 1,500 changes of a table per day."""
        if self._pending is not None:
            return any(alert.next_attempt_at <= now for alert in self._pending)
        due = "select 1 from ops.alerts where state = 'pending' and next_attempt_at <= @now limit 1"
        return bool(self.query(due, now=now))

    def channels_sent(self, message: Message) -> set[Channel]:
        """The channels that have already sent this message to a recipient."""
        sent = self.query(
            "select distinct channel from ops.alerts "
            "where incident_id = @incident and kind = @kind and state = 'sent' and channel is not null "
            "and cast(json_value(body_json, '$.step') as int64) = @step",
            incident=message.incident_id,
            kind=message.kind,
            step=message.step,
        )
        return {row["channel"] for row in sent}

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
        """Store the new state of a claimed alert, and release the claim."""
        self.query(
            "update ops.alerts set state = @state, claimed_by = null, sent_at = cast(@sent_at as timestamp), error = @error, "
            "next_attempt_at = coalesce(cast(@next_attempt_at as timestamp), next_attempt_at) "
            "where alert_id = @alert_id and claimed_by = @delivery",
            state=state,
            sent_at=sent_at,
            error=error,
            next_attempt_at=next_attempt_at,
            alert_id=alert.alert_id,
            delivery=delivery,
        )

    def _read(self, condition: str, **parameters: Any) -> list[Alert]:
        return [_alert(row) for row in self.query(f"select * from ops.alerts where {condition}", **parameters)]

    def query(self, sql: str, **parameters: Any) -> list[Row]:
        """Run a statement with these parameters, and return its rows."""
        # The client retries for ten minutes by default. That is too long, because an alert can be sent without the warehouse.
        return rows(sql, parameters, self.client, patience=_PATIENCE)


def _alert(row: dict[str, Any]) -> Alert:
    message = Message.model_validate_json(row.pop("body_json"))
    row.pop("claimed_by")
    row["state"] = _FORMER_STATES.get(row["state"], row["state"])
    return Alert(message=message, **row)
