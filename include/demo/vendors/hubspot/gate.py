"""What every request to HubSpot meets first: authentication, limits, and the reading of its parameters."""

from __future__ import annotations

import hmac
import os
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode
from uuid import uuid4

from include.demo.vendors.common import Faults, Limiter

if TYPE_CHECKING:
    from starlette.requests import Request

BURST, SEARCH_RATE, DAILY = 190, 5, 625_000
"""Requests per 10 seconds, searches per second and requests per day of an account with the plan Professional."""


def token() -> str:
    """The access token of the private app: `DEMO_HUBSPOT_TOKEN`, or a fixed demo token."""
    return os.environ.get("DEMO_HUBSPOT_TOKEN", "pat-eu1-demo-hubspot-token")


class Refused(Exception):
    """An answer other than 200."""

    def __init__(
        self, status: int, category: str | None, message: str, headers: dict[str, str] | None = None, **more: Any
    ) -> None:
        super().__init__(message)
        self.status = status
        self.body = {"status": "error", "message": message, "correlationId": str(uuid4())} | more
        if category is not None:
            self.body["category"] = category
        self.headers = headers or {}


class Gate:
    """Lets requests in, within the limits of one account."""

    def __init__(self, faults: Faults) -> None:
        self.faults = faults
        self.requests = 0
        self._limiters: dict[str, Limiter] = {}

    def admit(self, request: Request) -> dict[str, str]:
        """Check credentials and limits. Returns the headers of the limits, which searches lack.

        Raises:
            Refused: 401 or 429.
        """
        if not hmac.compare_digest(request.headers.get("authorization", "").encode(), f"Bearer {token()}".encode()):
            raise Refused(401, "INVALID_AUTHENTICATION", "Authentication credentials not found. This API supports OAuth 2.0.")
        daily = self.faults.setting("daily", DAILY)
        if self.requests >= daily:
            raise self._too_many("You have reached your daily limit.", "DAILY", 0)
        if request.url.path.endswith("/search"):
            wait = self._limiter("search_rate", SEARCH_RATE, 1).wait()
            if wait:
                raise self._too_many("You have reached your secondly limit.", "SECONDLY", wait)
        burst = self._limiter("burst", BURST, 10)
        wait = burst.wait()
        if wait:
            raise self._too_many("You have reached your ten_secondly_rolling limit.", "TEN_SECONDLY_ROLLING", wait)
        self.requests += 1
        if request.url.path.endswith("/search"):
            return {}
        return {
            "X-HubSpot-RateLimit-Daily": str(daily),
            "X-HubSpot-RateLimit-Daily-Remaining": str(daily - self.requests),
            "X-HubSpot-RateLimit-Secondly": str(burst.limit // 10),
            "X-HubSpot-RateLimit-Secondly-Remaining": str(max(burst.limit // 10 - 1, 0)),
            "X-HubSpot-RateLimit-Interval-Milliseconds": "10000",
            "X-HubSpot-RateLimit-Max": str(burst.limit),
            "X-HubSpot-RateLimit-Remaining": str(burst.remaining),
        }

    def _limiter(self, setting: str, limit: int, window: float) -> Limiter:
        limit = self.faults.setting(setting, limit)
        known = self._limiters.get(setting)
        if known is None or known.limit != limit:
            self._limiters[setting] = known = Limiter(limit, window)
        return known

    def _too_many(self, message: str, policy: str, wait: float) -> Refused:
        headers = {"Retry-After": str(int(wait) + 1)} if wait and self.faults.setting("retry_after", True) else {}
        more = {"errorType": "RATE_LIMIT", "policyName": policy, "requestId": str(uuid4())}
        return Refused(429, None, message, headers, **more)


def names_in(request: Request, parameter: str) -> list[str]:
    """The names in a parameter, which may occur several times and may hold a list with commas."""
    return [name.strip() for text in request.query_params.getlist(parameter) for name in text.split(",") if name.strip()]


def whole(text: str, name: str, largest: int, least: int = 1) -> int:
    """An integer parameter.

    Raises:
        Refused: it is none, or out of bounds.
    """
    if not text.isascii() or not text.isdigit() or not least <= int(text[:20]) <= largest:
        raise Refused(
            400, "VALIDATION_ERROR", f"Invalid input: {name} must be an integer from {least} to {largest}, not {text!r}."
        )
    return int(text)


def next_page(request: Request, after: str) -> dict[str, Any]:
    """The value of `paging`."""
    query = [(key, value) for key, value in request.query_params.multi_items() if key != "after"]
    link = f"{request.url.replace(query='')}?{urlencode([*query, ('after', after)])}"
    return {"next": {"after": after, "link": link}}


async def body_of(request: Request) -> dict[str, Any]:
    """The JSON object in the body of a request."""
    try:
        body = await request.json()
    except ValueError:
        raise Refused(400, "VALIDATION_ERROR", "Invalid input JSON.") from None
    if not isinstance(body, dict):
        raise Refused(400, "VALIDATION_ERROR", "Invalid input JSON: an object is required.")
    return body


def inputs_of(body: dict[str, Any], most: int) -> list[dict[str, Any]]:
    """The inputs of a batch."""
    inputs = body.get("inputs")
    if not isinstance(inputs, list) or not inputs or len(inputs) > most:
        raise Refused(400, "VALIDATION_ERROR", f"inputs must be a list of 1 to {most} objects.")
    return inputs
