"""Connections to source systems: Airflow connections, which can also be read without Airflow."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from pydantic import SecretStr

#: Keys of the extra whose values are no secrets.
_PUBLIC = frozenset({"url", "sqlalchemy_scheme"})


class ConnectionMissing(LookupError):
    """There is no Airflow connection with this id. The message says how to add one."""


@dataclass(frozen=True)
class SourceConnection:
    """A connection: address and credentials of a system. Its repr contains no secrets.

    Attributes:
        conn_id: the Airflow connection id.
        conn_type: its type, such as `postgres`, `mysql` or `http`.
        host: host name, or for HTTP the base URL.
        port: TCP port, if not part of the URL.
        login: user name.
        password: password or token.
        schema: database name (SQL), or `http`/`https`.
        extra: the connection's extra, for example the `url` of a landing folder.
    """

    conn_id: str
    conn_type: str | None = None
    host: str | None = None
    port: int | None = None
    login: str | None = None
    password: SecretStr | None = None
    schema: str | None = None
    extra: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def secret(self) -> str:
        """The password or token as plain text; empty if there is none."""
        return self.password.get_secret_value() if self.password else ""

    @property
    def url(self) -> str:
        """The base URL of an HTTP system, or the folder of a file system, without a trailing slash.

        Raises:
            ConnectionMissing: the connection has neither a host nor a `url` in its extra.
        """
        url = self.extra.get("url") or self.host
        if not url:
            raise ConnectionMissing(f"Connection {self.conn_id} has no host and no url in its extra.")
        url = str(url)
        if "://" not in url:
            url = url if url.startswith("/") else f"{self.schema or 'https'}://{url}"
        if self.port and not url.startswith("/") and urlsplit(url).port is None:
            parts = urlsplit(url)
            url = parts._replace(netloc=f"{parts.netloc}:{self.port}").geturl()
        return url.rstrip("/")

    def redact(self, text: str) -> str:
        """Replace the secrets of this connection in the text by `***`."""
        secrets = [self.secret, *(str(value) for key, value in self.extra.items() if key not in _PUBLIC)]
        for secret in sorted(filter(None, secrets), key=len, reverse=True):
            for form in {secret, quote(secret, safe="")}:
                if len(form) >= 4:
                    text = text.replace(form, "***")
        return text

    @classmethod
    def of(cls, conn_id: str, values: Mapping[str, Any]) -> SourceConnection:
        """Create a connection from the keys of Airflow's JSON form of a connection."""
        extra = values.get("extra") or {}
        if isinstance(extra, str):
            extra = json.loads(extra)
        password = values.get("password")
        port = values.get("port")
        return cls(
            conn_id=conn_id,
            conn_type=values.get("conn_type") or None,
            host=values.get("host"),
            port=int(port) if port else None,
            login=values.get("login"),
            password=SecretStr(str(password)) if password else None,
            schema=values.get("schema"),
            extra=extra,
        )

    @classmethod
    def from_airflow(cls, conn_id: str) -> SourceConnection:
        """Get the connection with this id: from `AIRFLOW_CONN_<ID>` if it is set, otherwise from Airflow.

        Raises:
            ConnectionMissing: neither the variable nor Airflow has it.
        """
        variable = f"AIRFLOW_CONN_{conn_id.upper()}"
        text = os.environ.get(variable)
        if text:
            return cls.of(conn_id, _parse(variable, text))
        try:
            from airflow.sdk import Connection

            found = Connection.get(conn_id)
        except Exception as error:
            raise ConnectionMissing(
                f"There is no Airflow connection {conn_id!r}: add it in the UI, or set {variable} to its JSON form "
                f"({type(error).__name__})."
            ) from None
        return cls.of(
            conn_id,
            {
                "conn_type": found.conn_type,
                "host": found.host,
                "port": found.port,
                "login": found.login,
                "password": found.password,
                "schema": found.schema,
                "extra": found.extra_dejson,
            },
        )


def _parse(variable: str, text: str) -> Mapping[str, Any]:
    """Parse the JSON or URI form of an Airflow connection. Error messages never quote the text, because it holds secrets."""
    text = text.strip()
    if text.startswith("{"):
        try:
            values: Mapping[str, Any] = json.loads(text)
        except json.JSONDecodeError as error:
            raise ConnectionMissing(f"{variable} is not valid JSON: character {error.pos}, {error.msg}.") from None
        return values
    parts = urlsplit(text)
    extra: Any = dict(parse_qsl(parts.query))
    if "__extra__" in extra:
        extra = json.loads(extra["__extra__"])
    return {
        "conn_type": parts.scheme.replace("-", "_"),
        "host": unquote(parts.hostname) if parts.hostname else None,
        "port": parts.port,
        "login": unquote(parts.username) if parts.username else None,
        "password": unquote(parts.password) if parts.password else None,
        "schema": parts.path.lstrip("/") or None,
        "extra": extra,
    }
