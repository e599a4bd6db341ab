"""Terms that several packages read: the nightly hours and DAG, the gated layers, and types of YAML values: durations, cadences, criticalities and channels."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Any, Literal, get_args

from pydantic import BeforeValidator

from include.run_context import REFRESH_PREFIX

#: From midnight UTC to the start of the nightly run, which loads the data up to midnight.
NIGHTLY_START = timedelta(hours=2)
_START_HOUR = NIGHTLY_START // timedelta(hours=1)
#: The same as a cron expression, and as texts show it.
NIGHTLY_SCHEDULE = f"0 {_START_HOUR} * * *"
NIGHTLY_TIME = f"{_START_HOUR:02}:00 UTC"
#: When `transform_deadline` starts `transform` without the sources that are late: two hours later.
DEADLINE_SCHEDULE = f"0 {_START_HOUR + 2} * * *"
DEADLINE_TIME = f"{_START_HOUR + 2:02}:00 UTC"

#: The id of the DAG of the nightly run.
TRANSFORM = "transform"

#: The layers of the dbt project that a gate of the same name follows. The publication follows the last of them.
GATED = ("conformed", "core", "marts")

Criticality = Literal["low", "medium", "high", "critical"]
#: In ascending order.
CRITICALITIES: tuple[Criticality, ...] = get_args(Criticality)
#: The channels of alerts.
Channel = Literal["slack", "email", "pagerduty"]

#: Values of n in `every n minutes`. Each divides the hour evenly.
MINUTES = (5, 6, 10, 12, 15, 20, 30)
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}
_EVERY = re.compile(r"every ([1-9]\d?) minutes")


def _duration(value: Any) -> Any:
    if isinstance(value, timedelta):
        return value
    found = re.fullmatch(r"(\d{1,5})([mhd])", str(value))
    if found is None:
        raise ValueError(f"{value!r} is not a duration: write a number and m, h or d, for example 30m or 6h")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


#: For pydantic models: a duration such as `30m`, `6h` or `2d`.
Duration = Annotated[timedelta, BeforeValidator(_duration)]


def cadence_interval(cadence: str) -> timedelta:
    """The schedule interval of a cadence.

    Raises:
        ValueError: the cadence is unknown. The message lists the valid cadences.
    """
    if cadence == "daily":
        return timedelta(days=1)
    if cadence == "hourly":
        return timedelta(hours=1)
    found = _EVERY.fullmatch(cadence)
    if found is None or int(found[1]) not in MINUTES:
        known = ", ".join(map(str, MINUTES[:-1]))
        raise ValueError(f"{cadence!r} is not a cadence: write daily, hourly, or every {known} or {MINUTES[-1]} minutes")
    return timedelta(minutes=int(found[1]))


def refreshed_by(cadence: str) -> str:
    """The id of the DAG that refreshes the tables of a cadence."""
    return TRANSFORM if cadence == "daily" else REFRESH_PREFIX + cadence.replace(" ", "_")
