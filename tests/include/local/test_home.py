"""The company, the ports and the folders of the stack, and the errors of wrong settings."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from include.local.errors import StackError
from include.local.home import Company, Ports, only_one, parse_as_of, secret
from include.settings import ROOT


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LOCAL_HOME", str(tmp_path / "home"))
    return tmp_path


def test_each_company_has_its_own_folder_and_database() -> None:
    companies = [
        Company("2026-10-01"),
        Company("2026-10-01", seed=7),
        Company("2026-10-01", scale=0.05),
        Company("2026-10-01", data="/exports/one"),
        Company("2026-10-01", data="/exports/two"),
        Company("2026-10-01", data="/other/one"),
    ]
    assert len({company.home for company in companies}) == len(companies)
    assert len({company.database for company in companies}) == len(companies)
    assert Company("2026-10-02").home == companies[0].home, "a later as-of day is the same company"


def test_the_last_company_is_saved() -> None:
    assert Company.last() is None
    Company("2026-10-01", scale=0.5, seed=3).save()
    assert Company.last() == Company("2026-10-01", scale=0.5, seed=3)


def test_an_edited_folder_starts_with_an_empty_warehouse(home: Path) -> None:
    folder = home / "exports"
    folder.mkdir()
    (folder / "accounts.csv").write_text("account_id\na\n")
    company = Company("2026-10-01", data=str(folder))
    assert not company.reset_if_folder_changed(lambda: None)
    (company.home / "warehouse").mkdir()
    assert not company.reset_if_folder_changed(lambda: None)
    assert (company.home / "warehouse").exists()
    (folder / "accounts.csv").write_text("account_id\nb\n")
    assert company.reset_if_folder_changed(lambda: None)
    assert not (company.home / "warehouse").exists()
    # Exports may lie in subfolders, and mapping.yml decides how they are read.
    (folder / "stripe").mkdir()
    for name in ("stripe/customers.csv", "mapping.yml"):
        (folder / name).write_text("a")
        assert company.reset_if_folder_changed(lambda: None)
    assert not company.reset_if_folder_changed(lambda: None)


def test_a_folder_of_exports_has_a_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCAL_HOME", str(tmp_path / "home"))
    company = Company("2026-10-01", data=str(tmp_path))
    assert company.project is None and company.contract_folder == tmp_path
    (company.home / "project" / "sources").mkdir(parents=True)
    assert company.project is not None and company.contract_folder == company.home / "project" / "contract"
    assert Company("2026-10-01").contract_folder is None


def test_a_port_in_use_is_named_with_the_variable_that_changes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        monkeypatch.setenv("SUPPORT_PORT", str(taken.getsockname()[1]))
        with pytest.raises(StackError, match="SUPPORT_PORT"):
            Ports.from_environment().check_free()


@pytest.mark.parametrize("text", ["eighty", "80", "70000", "-1"])
def test_an_invalid_port_is_refused(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("AIRFLOW_PORT", text)
    with pytest.raises(StackError, match="AIRFLOW_PORT"):
        Ports.from_environment()


def test_as_of_is_a_date() -> None:
    assert parse_as_of("2026-10-01") == "2026-10-01"
    with pytest.raises(StackError, match="AS_OF"):
        parse_as_of("01/10/2026")


def test_secrets_are_created_once_and_private(home: Path) -> None:
    first = secret("jwt")
    assert secret("jwt") == first != secret("fernet")
    assert (home / "home" / "secrets" / "jwt").stat().st_mode & 0o077 == 0


def test_two_commands_do_not_share_a_stack() -> None:
    with only_one("run"), pytest.raises(StackError, match="make run"), only_one("up"):
        pass


def test_the_local_folder_is_open_to_its_owner_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for home in (tmp_path / "new", tmp_path / "old"):
        monkeypatch.setenv("LOCAL_HOME", str(home))
        if home.name == "old":
            home.mkdir(mode=0o755)
        with only_one("run"):
            assert home.stat().st_mode & 0o777 == 0o700
        secret("some")
        assert (home / "secrets" / "some").stat().st_mode & 0o777 == 0o600


def test_a_folder_that_users_share_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o1777)
    monkeypatch.setenv("LOCAL_HOME", str(shared))
    with pytest.raises(StackError, match="a folder of its own"), only_one("run"):
        pass
    assert shared.stat().st_mode & 0o1777 == 0o1777


HOLDER = """
import sys, time
from include.local.home import only_one
try:
    with only_one("run"):
        print("working", flush=True)
        time.sleep(600)
except KeyboardInterrupt:
    sys.exit(130)
"""


def test_stopping_all_ends_a_command_that_works() -> None:
    words = [sys.executable, "-c", HOLDER, "include.local"]
    holder = subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None and holder.stdout.readline() == "working\n"
    with pytest.raises(StackError, match=rf"Another command uses .*: make run \(process {holder.pid}\)"), only_one("up"):
        pass
    said: list[str] = []
    with only_one("down", end_other=said.append):
        assert not psutil.pid_exists(holder.pid)
    assert said == [f"Ending make run (process {holder.pid}), which works at the moment."]
