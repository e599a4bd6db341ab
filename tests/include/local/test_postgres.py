"""The embedded PostgreSQL requires its password, and its folder is closed to other users."""

from __future__ import annotations

import os
import signal
import stat
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg2
import pytest

from include.local.home import local_home, secret
from include.local.postgres import Postgres
from tests.warehouse import free_port

# The pg_hba.conf of an earlier version.
OPEN = "local all all trust\nhost all all 127.0.0.1/32 trust\nhost all all ::1/128 trust\n"


@pytest.fixture
def postgres(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Postgres]:
    monkeypatch.setenv("LOCAL_HOME", str(tmp_path / "local"))
    server = Postgres(local_home() / "postgres", free_port())
    yield server
    server.stop()


def ask(url: str, sql: str = "select 1") -> object:
    connection = psycopg2.connect(url)
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchone()[0] if cursor.description else None
    finally:
        connection.close()


def guesses(server: Postgres) -> list[str]:
    address = server.address("postgres")
    return [address, *(address.replace("@", f":{password}@") for password in ("postgres", "local", "None"))]


def test_only_the_password_opens_it(postgres: Postgres) -> None:
    postgres.start()
    assert ask(postgres.url("postgres")) == 1
    for url in guesses(postgres):
        with pytest.raises(psycopg2.OperationalError, match="password"):
            ask(url)


def test_a_server_of_an_earlier_version_keeps_its_data_and_gets_the_password(postgres: Postgres) -> None:
    postgres.start()
    postgres.ensure_database("airflow")
    ask(postgres.url("airflow"), "create table kept as select 42 as x")
    ask(postgres.url("postgres"), "alter role postgres password null")
    postgres.stop()
    (postgres.folder / "pg_hba.conf").write_text(OPEN)
    postgres.start()
    assert ask(postgres.url("airflow"), "select x from kept") == 42
    for url in guesses(postgres):
        with pytest.raises(psycopg2.OperationalError, match="password"):
            ask(url)


def test_a_lost_password_is_replaced(postgres: Postgres) -> None:
    postgres.start()
    postgres.stop()
    before = secret("postgres")
    (local_home() / "secrets" / "postgres").unlink()
    postgres.start()
    assert secret("postgres") != before
    assert ask(postgres.url("postgres")) == 1


def test_the_folder_is_open_to_its_owner_only(postgres: Postgres) -> None:
    for _ in range(2):
        postgres.start()
        postgres.stop()
        assert stat.S_IMODE(local_home().stat().st_mode) == 0o700
    assert stat.S_IMODE((local_home() / "secrets" / "postgres").stat().st_mode) == 0o600


def test_the_address_has_no_password(postgres: Postgres) -> None:
    assert postgres.address("crm") == f"postgresql://postgres@127.0.0.1:{postgres.port}/crm"
    assert secret("postgres") in postgres.url("crm")


def test_a_killed_server_starts_again(postgres: Postgres) -> None:
    """Its workers still hold the shared memory, and its file still names it."""
    postgres.start()
    postgres.ensure_database("airflow")
    connection = psycopg2.connect(postgres.url("airflow"))
    os.kill(int((postgres.folder / "postmaster.pid").read_text().split()[0]), signal.SIGKILL)
    while postgres.is_running():
        time.sleep(0.02)
    postgres.start()
    assert ask(postgres.url("airflow")) == 1
    connection.close()


def test_stopping_spares_another_process_with_the_number_of_a_killed_server(postgres: Postgres) -> None:
    postgres.start()
    postgres.stop()
    (postgres.folder / "postmaster.pid").write_text(f"{os.getpid()}\n{postgres.folder}\n")
    postgres.stop()
    assert not postgres.is_running()
    postgres.start()
    assert ask(postgres.url("postgres")) == 1
