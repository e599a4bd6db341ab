"""How requests are authenticated, and which hosts get the credentials."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from starlette.responses import JSONResponse, RedirectResponse

from include.sources.readers.pieces import ReadError
from tests.include.sources.rest.reading import SECRET, Read, table
from tests.include.sources.rest.server import Asked, Server

Serve, Reading = Callable[..., Server], Callable[..., Read]

THINGS = {"things": table("id")}
PAGES = {"paginator": {"kind": "next_link", "next_path": "next"}}
OAUTH = PAGES | {"base_path": "/data", "auth": "oauth2", "token_path": "/oauth2/token", "host_path": "instance_url"}


class Tokens:
    """An API whose tokens are good for some requests. It names its host in the answer to a token request."""

    def __init__(self, lifetime: int, host: str | None = None) -> None:
        self.lifetime, self.host, self.given, self.left = lifetime, host, 0, 0
        self.server: Server | None = None

    def __call__(self, asked: Asked) -> Any:
        if asked.path == "/oauth2/token":
            assert asked.body == f"client_id=reader&client_secret={SECRET}&grant_type=client_credentials"
            self.given, self.left = self.given + 1, self.lifetime
            return {"access_token": f"t{self.given}", "instance_url": self.host, "token_type": "Bearer"}
        if asked.headers.get("authorization") != f"Bearer t{self.given}" or not self.left:
            return JSONResponse([{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}], 401)
        self.left -= 1
        start = int(asked.one("from") or 0)
        return {"data": [{"id": str(start)}], "next": f"/data/things?from={start + 1}" if start < 4 else None}


def test_api_key(serve: Serve, read: Reading) -> None:
    server = serve(lambda asked: {"data": [{"id": asked.headers.get("x-key")}]})
    reader = PAGES | {"auth": "api_key", "auth_header": "X-Key", "headers": {"Stripe-Version": "2026-03-25.dahlia"}}
    assert read(server, reader, THINGS).rows("things") == [{"id": SECRET}]
    assert server.requests[0].headers["stripe-version"] == "2026-03-25.dahlia"
    with pytest.raises(ReadError, match="has no password, which is the value of the header X-Key"):
        read(server, reader, THINGS, password=None).rows("things")


def test_a_token_that_ends_in_mid_scan(serve: Serve, read: Reading) -> None:
    """The scan goes on with a new token at the page that was refused, at the host that the token's answer names."""
    tokens = Tokens(2)
    server = serve(tokens)
    tokens.host = server.url
    # The connection names the host differently, so that the answer decides.
    made = read(
        server, OAUTH | {"allowed_hosts": [f"127.0.0.1:{server.port}"]}, THINGS, host=server.url.replace("127.0.0.1", "localhost")
    )
    assert [row["id"] for row in made.rows("things")] == ["0", "1", "2", "3", "4"]
    assert tokens.given == 3
    assert server.requests[0].headers["host"] == f"localhost:{server.port}"
    assert server.requests[1].headers["host"] == f"127.0.0.1:{server.port}"
    assert [asked.one("from") for asked in server.requests if asked.path == "/data/things"] == [
        None,
        "1",
        "2",
        "2",
        "3",
        "4",
        "4",
    ]


def test_a_token_that_is_never_good(serve: Serve, read: Reading) -> None:
    """One new token is asked for, not one after the other."""
    tokens = Tokens(0)
    server = serve(tokens)
    tokens.host = server.url
    with pytest.raises(ReadError, match=r"401 .*INVALID_SESSION_ID"):
        read(server, OAUTH, THINGS).rows("things")
    assert tokens.given == 2


def test_a_refused_client(serve: Serve, read: Reading) -> None:
    said = {"error": "invalid_grant", "error_description": "no client credentials user enabled"}
    server = serve(lambda _: JSONResponse(said, 400))
    with pytest.raises(ReadError, match=r"gives no token \(400\): invalid_grant: no client credentials user enabled") as caught:
        read(server, OAUTH, THINGS).rows("things")
    assert SECRET not in str(caught.value)
    with pytest.raises(ReadError, match="needs a login and a password which are the client's id and secret"):
        read(server, OAUTH, THINGS, login=None).rows("things")


@pytest.mark.parametrize("way", ["token_host", "redirect_of_the_token", "inner_list", "child"])
def test_no_other_host_gets_the_credentials(serve: Serve, read: Reading, way: str) -> None:
    """Not the host that a token's answer names, nor that of a redirect, of an inner list or of a child's path."""
    other = serve(lambda _: {"data": [{"id": "stolen"}]})

    def answer(asked: Asked) -> Any:
        if asked.path == "/oauth2/token":
            if way == "redirect_of_the_token":
                return RedirectResponse(f"{other.url}/oauth2/token", 307)
            return {"access_token": "t1", "instance_url": other.url if way == "token_host" else server.url}
        return {
            "data": [{"id": f"@127.0.0.1:{other.port}/x", "lines": {"data": [], "has_more": True, "url": f"{other.url}/lines"}}]
        }

    server = serve(answer)
    inner = {"inner_lists": {"more": {"path": "has_more", "is": True}}} if way == "inner_list" else {}
    child = table("id", parent="things", path="{parent.id}/lines")
    made = read(server, OAUTH | inner, THINGS | {"lines": child})
    if way == "child":
        made.rows("lines")
        assert server.requests[-1].path == f"/data/@127.0.0.1:{other.port}/x/lines"
    else:
        with pytest.raises(ReadError, match=f"leads to {other.url}, which is not the host of connection api"):
            made.rows("things")
    assert other.requests == []
