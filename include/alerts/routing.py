"""Notification routing: reads and validates `include/alerts/routing.yml`."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, time, timedelta
from fnmatch import fnmatchcase
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Self
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
from include.terms import CRITICALITIES, Channel, Criticality, Duration


class RoutingError(ValueError):
    """The routing file or the owners' addresses are invalid. The message names the file and the key."""


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError) as error:
        raise ValueError(f"{name!r} is not an IANA time zone: use a name such as Europe/London") from error
    return name


Zone = Annotated[str, AfterValidator(_zone)]
ConnectionId = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]+$")]
Owner = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class ChannelConfig(_Strict):
    """One channel: its Airflow connection, and the channels that replace it when it is down."""

    connection: ConnectionId
    instead: tuple[Channel, ...] = ()


class QuietHours(_Strict):
    """A part of each day, in a time zone. Alerts raised during quiet hours are sent when they end."""

    begin: time = Field(alias="from")
    until: time
    timezone: Zone

    @model_validator(mode="after")
    def _not_empty(self) -> Self:
        if self.begin == self.until:
            raise ValueError("from and until are the same: use two different times")
        return self

    def end(self, moment: datetime) -> datetime:
        """The earliest time to send a message of that moment: the moment itself, or the end of the quiet hours (UTC)."""
        zone = ZoneInfo(self.timezone)
        local = moment.astimezone(zone)
        past_midnight = self.begin > self.until
        now = local.time()
        quiet = (now >= self.begin or now < self.until) if past_midnight else (self.begin <= now < self.until)
        if not quiet:
            return moment
        day = local.date() + timedelta(days=1 if past_midnight and now >= self.begin else 0)
        return datetime.combine(day, self.until, zone).astimezone(UTC)


class EscalationStep(_Strict):
    """One reminder of an open incident: the time after its start, its channels, and further owners to notify."""

    after: Duration
    channels: tuple[Channel, ...] = Field(min_length=1)
    owners: tuple[Owner, ...] = ()


class CriticalityRule(_Strict):
    """Notification settings for one criticality."""

    channels: tuple[Channel, ...] = Field(min_length=1)
    escalation: tuple[EscalationStep, ...] = ()
    quiet_hours: QuietHours | None = None

    @field_validator("escalation")
    @classmethod
    def _in_order(cls, steps: tuple[EscalationStep, ...]) -> tuple[EscalationStep, ...]:
        after = [step.after for step in steps]
        if after != sorted(set(after)):
            raise ValueError("the steps must be in order of `after`, each later than the one before")
        return steps


class AtRisk(_Strict):
    """The channels of warnings. A warning uses the channels of its table that are listed here, or else the first of them."""

    channels: tuple[Channel, ...]


class Retry(_Strict):
    """The number and the duration of the retries of a failed message.

    Attributes:
        first: the wait after the first failure; it doubles after each further failure.
        longest: the longest wait.
        substitute_after: the number of attempts after which another channel sends the message.
        give_up_after: the age at which a message is no longer sent.
    """

    first: Duration
    longest: Duration
    substitute_after: int = Field(ge=1)
    give_up_after: Duration

    def wait(self, attempts: int) -> timedelta:
        """The wait after a number of attempts, which is at least 1."""
        doublings: int = 2 ** min(attempts - 1, 20)
        return min(self.first * doublings, self.longest)


class Silence(_Strict):
    """Mutes the alerts of some tables, tasks or rules until a time.

    Attributes:
        name: a pattern with `*` and `?`.
        until: the end, in UTC if it has no offset.
        reason: shown in `ops.alerts.error`.
    """

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
    """The content of the routing file, and the owners' addresses."""

    channels: dict[Channel, ChannelConfig]
    criticality: dict[Criticality, CriticalityRule]
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
        used |= {channel for config in self.channels.values() for channel in config.instead} | set(self.at_risk.channels)
        if undefined := sorted(used - set(self.channels)):
            raise ValueError(f"channels: {', '.join(undefined)} is used but not defined")
        named = set(self.owners) | {o for rule in self.criticality.values() for step in rule.escalation for o in step.owners}
        if unknown := sorted(named - set(self.addresses)):
            raise ValueError(f"owners: {', '.join(unknown)} is not a group of dbt/models/_groups.yml")
        return self

    def recipient(self, channel: Channel, owner: str) -> str:
        """The recipient for an owner: the owner itself for e-mail, else a connection id."""
        if channel == "email":
            return owner if owner in self.addresses else next(iter(self.addresses))
        own = self.owners.get(owner, OwnRoutes())
        return (own.slack if channel == "slack" else own.pagerduty) or self.channels[channel].connection

    def connection(self, channel: Channel, recipient: str) -> str:
        """The Airflow connection of a route."""
        return self.channels["email"].connection if channel == "email" else recipient

    def addresses_of(self, owners: Iterable[str]) -> list[str]:
        """The e-mail addresses of owners, in alphabetical order."""
        return sorted({self.addresses[self.recipient("email", owner)] for owner in owners})

    def notify_at(self, severity: Criticality, moment: datetime) -> datetime:
        """The earliest time to notify: the moment itself, or the end of the quiet hours of that severity."""
        quiet = self.criticality[severity].quiet_hours
        return quiet.end(moment) if quiet else moment

    def silence(self, name: str, moment: datetime) -> Silence | None:
        """The silence that mutes a table, task or rule at a moment; None if there is none."""
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
    """The routing of `PLATFORM_ROUTING_FILE`, with the e-mail addresses of the dbt groups.

    Raises:
        RoutingError: the file is invalid. The message names the file, the key and the error.
    """
    config = settings()
    return _load(config.routing_file, config.dbt_dir / "models" / "_groups.yml")
