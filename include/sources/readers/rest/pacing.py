"""Keeps within the limits of an API: waits before requests, and says how long to wait after a refusal."""

from __future__ import annotations

import re
import time
from collections import deque
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from fnmatch import fnmatchcase
from math import ceil
from threading import Lock
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter

from include.sources import placeholders
from include.sources.readers.pieces import QuotaUsedUp

if TYPE_CHECKING:
    from include.sources.rest_settings import Limit, RestReader

_EPOCH_SECONDS = 1_000_000_000


class _Window:
    """The times of the last requests under one limit."""

    def __init__(self, limit: Limit) -> None:
        self._limit = limit
        self._sent: deque[float] = deque(maxlen=limit.requests)
        self._lock = Lock()

    def wait(self, path: str) -> None:
        """Wait until the limit allows a request to this path."""
        if not any(fnmatchcase(path, pattern) for pattern in self._limit.paths):
            return
        with self._lock:
            if len(self._sent) == self._limit.requests:
                time.sleep(max(0.0, self._sent[0] + self._limit.seconds - time.monotonic()))
            self._sent.append(time.monotonic())


class PacedAdapter(HTTPAdapter):
    """Sends the requests to the hosts of one API, of all threads."""

    def __init__(self, settings: RestReader) -> None:
        super().__init__(pool_maxsize=50)
        self._settings = settings
        self._windows = [_Window(limit) for limit in settings.limits]
        self._used_up: str | None = None

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        """Send a request as soon as the limits allow it. dlt's client repeats a refused one after the time in Retry-After.

        Raises:
            QuotaUsedUp: the API refuses requests for longer than `max_wait_seconds`, now or earlier in this load.
        """
        if self._used_up is not None:
            raise QuotaUsedUp(self._used_up)
        path = urlsplit(request.url or "").path.removeprefix(self._settings.base_path).lstrip("/")
        for window in self._windows:
            window.wait(path)
        response = super().send(request, *args, **kwargs)
        if response.status_code >= 400:
            self._judge(response)
        return response

    def _judge(self, response: requests.Response) -> None:
        throttling = self._settings.throttling
        reason = _reason(response, throttling.reason_path) if throttling.reason_path else None
        seconds = None
        if response.status_code in (429, 503) or reason in throttling.quota:
            seconds = _seconds(response, throttling.reset_header)
            if seconds is None and reason is not None:
                seconds = throttling.waits.get(reason)
        if reason in throttling.quota or (seconds or 0) > self._settings.max_wait_seconds:
            self._used_up = _ended(reason, seconds)
            response.close()
            raise QuotaUsedUp(self._used_up)
        if seconds is not None:
            response.headers["Retry-After"] = str(ceil(seconds))


def _ended(reason: str | None, seconds: float | None) -> str:
    what = f"the API refuses more requests{f' ({reason})' if reason else ''}"
    if seconds is None:
        return f"{what}. It does not say when it resumes; a quota of a day is free again after 24 hours at the latest"
    return f"{what}. It resumes at {datetime.now(UTC) + timedelta(seconds=seconds):%Y-%m-%d %H:%M} UTC"


def _reason(response: requests.Response, path: str) -> str | None:
    try:
        found = placeholders.within(response.json(), path)
    except ValueError:
        return None
    return None if found is None else str(found)


def _seconds(response: requests.Response, reset_header: str | None) -> float | None:
    """The seconds until the next request, from Retry-After or the API's own header. None: neither says it."""
    for name in ("Retry-After", reset_header):
        text = response.headers.get(name, "") if name else ""
        if found := re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*", text) or re.search(r"resets?=(\d+(?:\.\d+)?)", text):
            number = float(found[1])
            return max(0.0, number - time.time()) if number > _EPOCH_SECONDS else number
        try:
            return max(0.0, (parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds())
        except ValueError:
            continue
    return None
