"""Who is told, through what, and when: `include/alerts/routing.yml`, validated."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, time, timedelta
from fnmatch import fnmatchcase
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from include.settings import settings
from include.terms import CRITICALITIES, Criticality, Duration

Channel = Literal["slack", "email", "pagerduty"]


class RoutingError(ValueError):
    """The routing, or the owners' addresses, are wrong; the message names the file and the key."""


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError) as error:
        raise ValueError(f"{name!r} is no timezone of the IANA list, such as Europe/London") from error
    return name


Zone = Annotated[str, AfterValidator(_zone)]
ConnectionId = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]+$")]
Owner = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Way(_Strict):
    """One channel: the Airflow connection that it goes through, and what takes over when it is down."""

    connection: ConnectionId
    instead: tuple[Channel, ...] = ()


class QuietHours(_Strict):
    """A part of each day in which nobody is told; what comes up waits for its end."""

    begin: time = Field(alias="from")
    until: time
    timezone: Zone

    @model_validator(mode="after")
    def _some(self) -> Self:
        if self.begin == self.until:
            raise ValueError("from and until are the same: that is no time, or all of it")
        return self

    def end(self, moment: datetime) -> datetime:
        """When a message of that moment may be sent: then, or at the end of the quiet hours that it falls into (UTC)."""
        zone = ZoneInfo(self.timezone)
        local = moment.astimezone(zone)
        over_midnight = self.begin > self.until
        now = local.time()
        quiet = (now >= self.begin or now < self.until) if over_midnight else (self.begin <= now < self.until)
        if not quiet:
            return moment
        day = local.date() + timedelta(days=1 if over_midnight and now >= self.begin else 0)
        return datetime.combine(day, self.until, zone).astimezone(UTC)


class Step(_Strict):
    """One repetition of an open incident: how long after it began, through what, and to whom besides its owners."""

    after: Duration
    channels: tuple[Channel, ...] = Field(min_length=1)
    owners: tuple[Owner, ...] = ()


class Rule(_Strict):
    """How what is of one criticality is told."""

    channels: tuple[Channel, ...] = Field(min_length=1)
    escalation: tuple[Step, ...] = ()
    quiet_hours: QuietHours | None = None

    @field_validator("escalation")
    @classmethod
    def _in_order(cls, steps: tuple[Step, ...]) -> tuple[Step, ...]:
        after = [step.after for step in steps]
        if after != sorted(set(after)):
            raise ValueError("the steps must be in order of `after`, each later than the one before")
        return steps


class AtRisk(_Strict):
    """Through what a warning goes, of those that the table has."""

    channels: tuple[Channel, ...]


class Retry(_Strict):
    """How often and how long a channel is tried."""

    first: Duration
    longest: Duration
    substitute_after: int = Field(ge=1)
    give_up_after: Duration

    def wait(self, attempts: int) -> timedelta:
        """How long to wait after that many attempts (from 1): doubled each time, up to the longest."""
        doublings: int = 2 ** min(attempts - 1, 20)
        return min(self.first * doublings, self.longest)


class Silence(_Strict):
    """Something that nobody is told about for a time."""

    name: str = Field(min_length=1)
    until: datetime
    reason: str = Field(min_length=5)

    @field_validator("until")
    @classmethod
    def _utc(cls, until: datetime) -> datetime:
        return until.astimezone(UTC) if until.tzinfo else until.replace(tzinfo=UTC)


class OwnRoutes(_Strict):
    """The connections of an owner that has its own Slack channel or PagerDuty service."""

    slack: ConnectionId | None = None
    pagerduty: ConnectionId | None = None


class Routing(_Strict):
    """The whole file, and the owners' addresses."""

    channels: dict[Channel, Way]
    criticality: dict[Criticality, Rule]
    at_risk: AtRisk
    owners: dict[Owner, OwnRoutes] = Field(default_factory=dict)
    remind_after: Duration
    retry: Retry
    silences: tuple[Silence, ...] = ()
    #: Owner → address, from dbt's groups.
    addresses: dict[Owner, str]

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if missing := [name for name in CRITICALITIES if name not in self.criticality]:
            raise ValueError(f"criticality: {', '.join(missing)} is missing")
        used = {channel for rule in self.criticality.values() for channel in rule.channels}
        used |= {channel for rule in self.criticality.values() for step in rule.escalation for channel in step.channels}
        used |= {channel for way in self.channels.values() for channel in way.instead} | set(self.at_risk.channels)
        if missing_ways := sorted(used - set(self.channels)):
            raise ValueError(f"channels: {', '.join(missing_ways)} is used but not described")
        named = set(self.owners) | {o for rule in self.criticality.values() for step in rule.escalation for o in step.owners}
        if unknown := sorted(named - set(self.addresses)):
            raise ValueError(f"owners: {', '.join(unknown)} is no group of dbt/models/_groups.yml")
        return self

    def recipient(self, channel: Channel, owner: str) -> str:
        """The route of a channel for an owner: a connection id, or for e-mail the owner whose address it is."""
        if channel == "email":
            return owner if owner in self.addresses else next(iter(self.addresses))
        own = self.owners.get(owner, OwnRoutes())
        return (own.slack if channel == "slack" else own.pagerduty) or self.channels[channel].connection

    def connection(self, channel: Channel, recipient: str) -> str:
        """The Airflow connection that serves a route."""
        return self.channels["email"].connection if channel == "email" else recipient

    def addresses_of(self, owners: Iterable[str]) -> list[str]:
        """The e-mail addresses of owners, in alphabetical order."""
        return sorted({self.addresses[self.recipient("email", owner)] for owner in owners})

    def tell_at(self, severity: Criticality, moment: datetime) -> datetime:
        """When something of a severity may be told: that moment, or the end of its quiet hours."""
        quiet = self.criticality[severity].quiet_hours
        return quiet.end(moment) if quiet else moment

    def silence(self, name: str, moment: datetime) -> Silence | None:
        """The silence that covers a table, task or rule at a moment, if there is one."""
        return next((s for s in self.silences if moment < s.until and fnmatchcase(name, s.name)), None)


@lru_cache(maxsize=4)
def _load(path: Path, groups: Path) -> Routing:
    try:
        owners = {group["name"]: group["owner"]["email"] for group in yaml.safe_load(groups.read_text("utf-8"))["groups"]}
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        return Routing.model_validate({**content, "addresses": owners})
    except (OSError, yaml.YAMLError, TypeError, KeyError) as error:
        raise RoutingError(f"{path} or {groups} cannot be read: {error!r}") from error
    except ValidationError as error:
        lines = [f"{path}: {'.'.join(str(part) for part in problem['loc'])}: {problem['msg']}" for problem in error.errors()]
        raise RoutingError("\n".join(lines)) from error


def load_routing() -> Routing:
    """The routing of `PLATFORM_ROUTING_FILE`, with the addresses of the dbt project's groups.

    Raises:
        RoutingError: naming the file, the key and what is wrong.
    """
    config = settings()
    return _load(config.routing_file, config.dbt_dir / "models" / "_groups.yml")
