"""What every request to Salesforce meets first: the token, the version in its path, and the daily limit."""

from __future__ import annotations

import base64
import binascii
import os
from itertools import count
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from include.demo.vendors.common import Faults, seconds
from include.demo.vendors.salesforce.records import Org
from include.demo.vendors.salesforce.soql import Malformed

if TYPE_CHECKING:
    from starlette.requests import Request

CLIENT_ID = "3MVG9demo"
DAILY = 100_000
"""API requests per 24 hours."""
VERSIONS = range(50, 69)
"""API versions that the server accepts."""


def client_secret() -> str:
    """The secret of the connected app: `DEMO_SALESFORCE_SECRET`, or a fixed demo secret."""
    return os.environ.get("DEMO_SALESFORCE_SECRET", "demo-salesforce-secret")


class Refused(Exception):
    """An answer other than 200. Errors are always a list."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.body = [{"message": message, "errorCode": code}]


def refused(error: Malformed) -> Refused:
    """The answer for an invalid statement."""
    return Refused(400, error.code, str(error))


class Gate:
    """Issues tokens, and lets requests in that have one."""

    def __init__(self, held: Org, faults: Faults) -> None:
        self.org = held
        self.faults = faults
        self.requests = 0
        self._numbers = count(1)
        self._uses: dict[str, int] = {}

    async def token(self, request: Request) -> tuple[dict[str, Any], int]:
        """`POST /services/oauth2/token`: the client credentials flow, with the credentials in the form or as basic authentication."""
        form = dict(parse_qsl((await request.body()).decode()))
        client, secret = form.get("client_id"), form.get("client_secret")
        basic = request.headers.get("authorization", "")
        if basic.startswith("Basic "):
            try:
                client, _, secret = base64.b64decode(basic[6:]).decode().partition(":")
            except (binascii.Error, UnicodeError):
                client = None
        if form.get("grant_type") != "client_credentials":
            return {"error": "unsupported_grant_type", "error_description": "grant type not supported"}, 400
        if client != CLIENT_ID:
            return {"error": "invalid_client_id", "error_description": "client identifier invalid"}, 400
        if secret != client_secret():
            return {"error": "invalid_client", "error_description": "invalid client credentials"}, 400
        if self.faults.setting("no_client_user"):
            return {"error": "invalid_grant", "error_description": "no client credentials user enabled"}, 400
        token = f"{self.org.id[:15]}!AQ.demo.{next(self._numbers)}"
        self._uses[token] = 0
        instance = self.faults.setting("instance_url") or str(request.base_url).rstrip("/")
        return {
            "access_token": token,
            "signature": "c2lnbmF0dXJl",
            "token_format": "opaque",
            "scope": "api",
            "instance_url": instance,
            "id": f"{instance}/id/{self.org.id}/user",
            "token_type": "Bearer",
            "issued_at": str(seconds(self.org.account.now) * 1000),
        }, 200

    def admit(self, request: Request) -> dict[str, str]:
        """Check the token, the limit and the version. Returns the header with the use of the limit.

        Raises:
            Refused: 401, 403 or 404.
        """
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        uses = self._uses.get(token)
        if uses is None or uses >= self.faults.setting("token_requests", uses + 1):
            raise Refused(401, "INVALID_SESSION_ID", "Session expired or invalid")
        daily = self.faults.setting("daily", DAILY)
        if self.requests >= daily:
            raise Refused(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")
        if self.version(request) is None:
            raise Refused(404, "NOT_FOUND", "The requested resource does not exist")
        self._uses[token] = uses + 1
        self.requests += 1
        return {"Sforce-Limit-Info": f"api-usage={self.requests}/{daily}"}

    @staticmethod
    def version(request: Request) -> int | None:
        """The API version in the path; None if it is none that the server has."""
        whole, _, part = str(request.path_params["version"]).partition(".")
        return int(whole) if whole.isdigit() and part == "0" and int(whole) in VERSIONS else None
