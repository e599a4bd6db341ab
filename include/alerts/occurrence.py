"""Occurrences and the messages about them. They hold no personal data, no addresses and no secrets."""

from __future__ import annotations

import hashlib
import re
from datetime import datetime, timedelta
from typing import Literal

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, field_validator

from include.terms import CRITICALITIES, Channel, Criticality

Kind = Literal[
    "sla_at_risk", "sla_breached", "sla_recovered", "task_failed", "gate_blocked", "quarantined", "deadline", "recovered"
]

RECOVERIES = frozenset({"sla_recovered", "recovered"})
#: Weight of a kind; 1 if not listed. Within one incident, a route is notified again of kinds with a higher weight.
_KIND_WEIGHTS = {"sla_at_risk": 0, "deadline": 0}
RUNBOOKS: dict[str, str] = {
    "sla_at_risk": "freshness-at-risk.md",
    "sla_breached": "freshness-breached.md",
    "sla_recovered": "freshness-breached.md",
    "task_failed": "task-failed.md",
    "gate_blocked": "blocked-gate.md",
    "quarantined": "quarantined-rows.md",
    "deadline": "nightly-deadline.md",
    "recovered": "task-failed.md",
}

_CREDENTIALS = re.compile(r"(\w+://)[^/\s@]+@")
_EMAIL = re.compile(r"[^\s@<>\"']+@[^\s@<>\"']+\.\w+")
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"|\{.*\}|\[.*\]")
_NUMBER = re.compile(r"\d[\d ()/.-]{5,}\d")


def identifier(*parts: object) -> str:
    """A deterministic id: a hash of its parts."""
    return hashlib.sha256("\x1f".join(str(part) for part in parts).encode()).hexdigest()[:20]


def plain(text: str | None, length: int = 300) -> str:
    """The text on one line, without control characters, cut to `length` characters."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text or "").split())
    return line if len(line) <= length else f"{line[: length - 1]}…"


def without_addresses(text: str) -> str:
    """The text without e-mail addresses, and without logins in URLs."""
    return _EMAIL.sub("…", _CREDENTIALS.sub(r"\1…@", text))


def sanitized(text: str | None, length: int = 200) -> str:
    """The first line of an error, without credentials, addresses, quoted values and long numbers.

    An error may quote the values of a row. The full text is in the task's log, which has its own access control.
    """
    first = next((line for line in (text or "").splitlines() if line.strip()), "")
    return plain(_NUMBER.sub("…", _QUOTED.sub("…", without_addresses(first))), length)


class _Facts(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Occurrence(_Facts):
    """One event: a problem of one table, DAG or rule, or its recovery.

    Attributes:
        event_id: the same event has the same id, and is recorded once, however often it is reported.
        kind: the kind of problem or recovery.
        scope: the table, DAG or rule: `marts.mart_x`, `dag ingest_crm`, `rule conformed.<rule>`. A recovery resolves its scope.
        cause_key: occurrences with the same key belong to one incident.
        name: the table, task or rule, as shown in messages.
        owner: the dbt group that is responsible.
        severity: the criticality of the table, DAG or rule.
        at: when it was seen.
        channels: used instead of the channels of its criticality, if not empty.
        level: how serious it is within its kind, such as the number of digits of a row count.
        expected: the expected state, in one line. Alerts that the release before has stored in `ops.alerts` call it `promised`.
        actual: the actual state, in one line.
        cause: the likely cause, in one line.
        log_url: the log that shows the likely cause.
        details: further lines, such as sample keys.
    """

    event_id: str
    kind: Kind
    scope: str
    cause_key: str
    name: str
    owner: str
    severity: Criticality
    at: datetime
    channels: tuple[Channel, ...] = ()
    level: int = 0
    expected: str = Field(default="", validation_alias=AliasChoices("expected", "promised"))
    actual: str = ""
    cause: str = ""
    log_url: str | None = None
    details: tuple[str, ...] = ()

    @field_validator("name", "owner", "expected", "actual", "cause")
    @classmethod
    def _one_line(cls, text: str) -> str:
        return plain(text, 600)

    @field_validator("details")
    @classmethod
    def _lines(cls, lines: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(plain(line, 600) for line in lines)

    @property
    def weight(self) -> int:
        """The seriousness, as a number that is comparable across kinds."""
        return _KIND_WEIGHTS.get(self.kind, 1) * 100 + self.level

    @property
    def recovers(self) -> bool:
        return self.kind in RECOVERIES


class Message(_Facts):
    """The message for one route: some occurrences of one incident. Stored in `ops.alerts.body_json`.

    Attributes:
        incident_id: the incident. Also PagerDuty's deduplication key and the `References` header of e-mails.
        opened_at: when the incident was opened.
        kind: the kind of its most serious occurrence.
        severity: the highest criticality of its occurrences.
        step: 0 for the first message, else the number of the reminder.
        after: the time from the first message to the reminder.
        owners: the owners that are notified.
        occurrences: at least one.
    """

    incident_id: str
    opened_at: datetime
    kind: Kind
    severity: Criticality
    step: int = 0
    after: timedelta = timedelta(0)
    owners: tuple[str, ...] = ()
    occurrences: tuple[Occurrence, ...] = Field(min_length=1)

    @property
    def weight(self) -> int:
        return max(occurrence.weight for occurrence in self.occurrences)

    @property
    def recovers(self) -> bool:
        return self.kind in RECOVERIES

    @property
    def subject(self) -> str:
        """One line: the problem, the table or task, and its criticality."""
        names = [occurrence.name for occurrence in self.occurrences]
        listed = names[0] if len(names) == 1 else f"{len(names)} {_PLURALS[self.kind]}, {names[0]} and others"
        repeated = f" · still open, reminder {self.step}" if self.step else ""
        return plain(f"{self.headline}: {listed} ({self.severity}){repeated}", 140)

    @property
    def headline(self) -> str:
        """The kind in words that people read."""
        return _HEADLINES[self.kind]

    @property
    def shared_cause(self) -> Occurrence | None:
        """The first occurrence, if there are several and all have the same cause and log; else None."""
        first = self.occurrences[0]
        same = all((o.cause, o.log_url) == (first.cause, first.log_url) for o in self.occurrences)
        return first if len(self.occurrences) > 1 and first.cause and same else None

    @property
    def runbook(self) -> str:
        """The file name of the runbook in docs/runbooks."""
        return RUNBOOKS[self.kind]


_HEADLINES: dict[Kind, str] = {
    "sla_at_risk": "May become late",
    "sla_breached": "Late",
    "sla_recovered": "On time again",
    "task_failed": "Failed",
    "gate_blocked": "Gate blocked",
    "quarantined": "Rows quarantined",
    "deadline": "Taking too long",
    "recovered": "Resolved",
}
_PLURALS: dict[Kind, str] = dict.fromkeys(_HEADLINES, "tasks") | {
    "sla_at_risk": "tables",
    "sla_breached": "tables",
    "sla_recovered": "tables",
    "quarantined": "rules",
}


def severest(severities: list[Criticality]) -> Criticality:
    """The highest criticality."""
    return max(severities, key=CRITICALITIES.index)
