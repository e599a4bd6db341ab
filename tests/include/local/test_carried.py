"""A changed folder starts with an empty warehouse, which has the decisions and the closed months of the former one."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from include import ops
from include.local.carried import start_again_if_changed, write_saved
from include.local.home import Company, Ports
from include.local.warehouse import EmbeddedWarehouse, environment
from include.settings import settings
from include.warehouse import rows
from tests.warehouse import free_port

THEN = datetime(2026, 9, 1, 12, 30, tzinfo=UTC)
DECISION = {
    "organization_id": "o",
    "account_id": "c1",
    "other_account_id": "a1",
    "is_same": None,
    "decided_by": "ann",
    "decided_at": THEN,
}
CLOSE = {
    "close_id": "o 2026-08 1",
    "organization_id": "o",
    "month": date(2026, 8, 1),
    "event": "closed",
    "event_by": "ann",
    "event_at": THEN,
}


@pytest.mark.parametrize("is_interrupted", [False, True])
def test_decisions_and_closed_months_move_to_the_new_warehouse(
    is_interrupted: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOCAL_HOME", str(tmp_path / "home"))
    for number, name in enumerate(("WAREHOUSE", "AIRFLOW", "POSTGRES", "BILLING", "SUPPORT")):
        monkeypatch.setenv(f"{name}_PORT", str(free_port() if not number else 20_000 + number))
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / "accounts.csv").write_text("account_id\na\n")
    company, ports = Company("2026-10-01", data=str(folder)), Ports.from_environment()
    assert not start_again_if_changed(company, ports)
    home = company.home / "warehouse"
    variables = environment(home, ports.warehouse)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    settings.cache_clear()
    warehouse = EmbeddedWarehouse(home, ports.warehouse)
    warehouse.start()
    ops.ensure_tables(["shop"])
    ops.append("ops.account_decisions", [DECISION])
    ops.append("ops.period_closes", [CLOSE])
    ops.append("ops.locks", [{"resource": "build", "taken_at": THEN}])
    warehouse.stop()

    (folder / "accounts.csv").write_text("account_id\nb\n")
    assert start_again_if_changed(company, ports)
    assert not home.exists()
    if is_interrupted:
        # A run that failed before it wrote the work leaves a warehouse without it, and the folder changes again.
        environment(home, ports.warehouse)
        (folder / "accounts.csv").write_text("account_id\nc\n")
        assert start_again_if_changed(company, ports)
    variables = environment(home, ports.warehouse)
    warehouse = EmbeddedWarehouse(home, ports.warehouse)
    warehouse.start()
    try:
        assert write_saved(company, variables) == 2
        assert rows("select * from ops.account_decisions") == [DECISION]
        assert rows("select * from ops.period_closes") == [CLOSE]
        assert rows("select * from ops.locks") == []
        assert write_saved(company, variables) == 0
    finally:
        warehouse.stop()
        settings.cache_clear()
