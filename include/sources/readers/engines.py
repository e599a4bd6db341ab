# ruff: noqa: TID253 - this module is imported only when a load runs.
"""The SQLAlchemy engine of a connection: driver, options of the session, and its time zone, which is UTC."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from include.sources.readers.pieces import ReadError

if TYPE_CHECKING:
    from include.connection import SourceConnection

CONNECT_TIMEOUT_SECONDS = 15

#: Type of an Airflow connection → SQLAlchemy's dialect and driver. A connection without a type is one to PostgreSQL.
_SCHEMES = {
    None: "postgresql+psycopg2",
    "generic": "postgresql+psycopg2",
    "postgres": "postgresql+psycopg2",
    "postgresql": "postgresql+psycopg2",
    "mysql": "mysql+pymysql",
    "mariadb": "mariadb+pymysql",
}
_MYSQL = {"connect_timeout": CONNECT_TIMEOUT_SECONDS, "init_command": "set time_zone = '+00:00'"}
#: Scheme → arguments of the driver.
_ARGUMENTS: dict[str, dict[str, Any]] = {
    "postgresql+psycopg2": {"connect_timeout": CONNECT_TIMEOUT_SECONDS, "options": "-c timezone=UTC"},
    "mysql+pymysql": _MYSQL,
    "mariadb+pymysql": _MYSQL,
}


def engine_of(connection: SourceConnection) -> sa.Engine:
    """Create the engine of a connection. It does not connect yet.

    `sqlalchemy_scheme` in the connection's extra names another dialect and driver; `sqlalchemy_query` holds options of its URL.

    Raises:
        ReadError: SQLAlchemy does not know the dialect, or its driver is not installed.
    """
    scheme = str(connection.extra.get("sqlalchemy_scheme") or _SCHEMES.get(connection.conn_type, connection.conn_type))
    url = sa.URL.create(
        scheme,
        username=connection.login,
        password=connection.secret or None,
        host=connection.host,
        port=connection.port,
        database=connection.schema,
        query=_query(connection),
    )
    try:
        return sa.create_engine(url, pool_pre_ping=True, connect_args=_ARGUMENTS.get(scheme, {}))
    except sa.exc.ArgumentError:
        raise ReadError(
            f"connection {connection.conn_id} is of type {scheme}, which SQLAlchemy does not know. Write a dialect and driver such as "
            "mssql+pymssql into its extra: sqlalchemy_scheme"
        ) from None
    except ModuleNotFoundError as error:
        raise ReadError(
            f"connection {connection.conn_id} needs the Python package {error.name}, which is not installed: it reads {scheme}"
        ) from None


def _query(connection: SourceConnection) -> dict[str, str]:
    """The SSL options in the connection's extra, such as `sslmode` or `ssl: {ca: …}`, and the options of its URL."""
    found: dict[str, str] = {}
    for key, value in connection.extra.items():
        if key == "sqlalchemy_query":
            found |= {name: str(option) for name, option in value.items()}
        elif key.startswith("ssl"):
            found |= (
                {f"{key}_{name}": str(option) for name, option in value.items()} if isinstance(value, dict) else {key: str(value)}
            )
    return found
