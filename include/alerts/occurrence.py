"""What happened, in the words of a message: no row values, no addresses, no secrets; and the messages made of it."""

from __future__ import annotations

import hashlib
import re
from datetime import datetime, timedelta
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from include.alerts.routing import Channel
from include.terms import CRITICALITIES, Criticality

Kind = Literal[
    "sla_at_risk", "sla_breached", "sla_recovered", "task_failed", "gate_blocked", "quarantined", "deadline", "recovered"
]

RECOVERIES = frozenset({"sla_recovered", "recovered"})
#: How much a kind says: who has been told of one is not told of a lesser one in the same incident.
_LEVELS = {"sla_at_risk": 0, "deadline": 0}
RUNBOOKS: dict[str, str] = {
    "sla_at_risk": "sla-at-risk.md",
    "sla_breached": "sla-breached.md",
    "sla_recovered": "sla-breached.md",
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
    """A deterministic id of what its parts say."""
    return hashlib.sha256("\x1f".join(str(part) for part in parts).encode()).hexdigest()[:20]


def plain(text: str | None, length: int = 300) -> str:
    """A text on one line, without control characters, cut to a length."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text or "").split())
    return line if len(line) <= length else f"{line[: length - 1]}…"


def without_addresses(text: str) -> str:
    """A text without e-mail addresses, and without the login in web addresses."""
    return _EMAIL.sub("…", _CREDENTIALS.sub(r"\1…@", text))


def sanitized(text: str | None, length: int = 200) -> str:
    """The first line of an error without what it may quote: credentials, addresses, values, long numbers.

    What an exception says can hold a row's values; the whole of it is in the task's log, for those who may read that.
    """
    first = next((line for line in (text or "").splitlines() if line.strip()), "")
    return plain(_NUMBER.sub("…", _QUOTED.sub("…", without_addresses(first))), length)


class _Facts(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Occurrence(_Facts):
    """One thing that happened to one table, run or rule.

    Attributes:
        event_id: says which event it is; the same event is taken up once, however often it is reported.
        kind: what happened.
        scope: what is well again when it recovers: `marts.mart_x`, `dag ingest_crm`, `rule staging.<rule>`.
        cause_key: occurrences with the same one are one incident.
        name: what a person calls it: the table, the task, the rule.
        owner: the group that answers for it.
        severity: its criticality.
        channels: its own channels, in place of those of its criticality.
        level: how much it says within its kind; told again only if it says more.
        at: when it was seen.
        promised, actual, cause: each one line.
        log_url: where the likely cause can be read.
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
    promised: str = ""
    actual: str = ""
    cause: str = ""
    log_url: str | None = None
    details: tuple[str, ...] = ()

    @field_validator("name", "owner", "promised", "actual", "cause")
    @classmethod
    def _one_line(cls, text: str) -> str:
        return plain(text, 600)

    @field_validator("details")
    @classmethod
    def _lines(cls, lines: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(plain(line, 600) for line in lines)

    @property
    def weight(self) -> int:
        """How much it says, over all kinds."""
        return _LEVELS.get(self.kind, 1) * 100 + self.level

    @property
    def recovers(self) -> bool:
        return self.kind in RECOVERIES


class Message(_Facts):
    """What one route is told: some occurrences of one incident. The content of `ops.alerts.body_json`.

    Attributes:
        incident_id: the incident; also PagerDuty's deduplication key and what mails refer to.
        opened_at: when the incident began.
        kind, severity: those of its weightiest occurrence.
        step: 0, or the number of the repetition.
        after: how long after the beginning a repetition comes.
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
        """One line: what happened to what, and how critical it is."""
        names = [occurrence.name for occurrence in self.occurrences]
        what = names[0] if len(names) == 1 else f"{len(names)} {_PLURALS[self.kind]}, {names[0]} and others"
        repeated = f" · still open, reminder {self.step}" if self.step else ""
        return plain(f"{_HEADLINES[self.kind]}: {what} ({self.severity}){repeated}", 140)

    @property
    def shared_cause(self) -> Occurrence | None:
        """An occurrence that says what all have in common, if there are several and they have one cause."""
        first = self.occurrences[0]
        same = all((o.cause, o.log_url) == (first.cause, first.log_url) for o in self.occurrences)
        return first if len(self.occurrences) > 1 and first.cause and same else None

    @property
    def runbook(self) -> str:
        """The runbook's file in docs/runbooks."""
        return RUNBOOKS[self.kind]


_HEADLINES: dict[Kind, str] = {
    "sla_at_risk": "May become late",
    "sla_breached": "Late",
    "sla_recovered": "On time again",
    "task_failed": "Failed",
    "gate_blocked": "Gate blocked",
    "quarantined": "Rows set aside",
    "deadline": "Taking too long",
    "recovered": "Works again",
}
_PLURALS: dict[Kind, str] = dict.fromkeys(_HEADLINES, "tasks") | {
    "sla_at_risk": "tables",
    "sla_breached": "tables",
    "sla_recovered": "tables",
    "quarantined": "rules",
}


def severest(severities: list[Criticality]) -> Criticality:
    """The highest of some criticalities."""
    return max(severities, key=CRITICALITIES.index)
