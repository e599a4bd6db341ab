"""The stack passes no secret to its processes where other users of the machine could see it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import pytest

from include.local import airflow, stack
from include.local.errors import StackError
from include.local.home import Company, Ports, local_home, secret
from include.local.stack import Stack

PORTS = Ports(*range(20_001, 20_001 + len(fields(Ports))))


class Recorded:
    """Records the commands instead of starting them."""

    def __init__(self) -> None:
        self.commands: dict[str, list[str]] = {}
        self.environments: dict[str, dict[str, str]] = {}

    def start(self, name: str, command: Sequence[str], environment: dict[str, str], **_: Any) -> None:
        self.commands[name] = list(command)
        self.environments[name] = environment
        if name == "systems":
            Path(command[command.index("--home") + 1], "systems.json").write_text("{}")


@pytest.fixture
def local(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stack:
    monkeypatch.setenv("LOCAL_HOME", str(tmp_path / "local"))
    return Stack(Company("2026-10-01"), PORTS, nightly=False)


def test_no_component_of_airflow_serves_logs(local: Stack) -> None:
    """Airflow's log servers listen on every network interface."""
    started = Recorded()
    airflow.start(started, local.variables)  # type: ignore[arg-type]
    with_log_server = {
        name.removeprefix("airflow-") for name, command in started.commands.items() if "--skip-serve-logs" in command
    }
    assert set(started.commands) == {"airflow-api-server", "airflow-scheduler", "airflow-dag-processor", "airflow-triggerer"}
    assert with_log_server == {"scheduler", "triggerer"}


def test_no_password_is_on_a_command_line(local: Stack) -> None:
    started = Recorded()
    local.processes = started  # type: ignore[assignment]
    local.start_systems()
    airflow.start(started, local.variables)  # type: ignore[arg-type]
    password = secret("postgres")
    assert not [command for command in started.commands.values() if password in " ".join(command)]
    assert password in started.environments["systems"]["DEMO_POSTGRES_URL"]
    assert password in started.environments["airflow-scheduler"]["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"]
    assert json.loads(started.environments["airflow-scheduler"]["AIRFLOW_CONN_CRM"])["password"] == password


def test_exports_are_not_shown_on_a_terminal(monkeypatch: pytest.MonkeyPatch, local: Stack) -> None:
    from include.local.__main__ import env, parser

    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    with pytest.raises(StackError, match="contain passwords"):
        env(parser().parse_args(["env"]))


def test_a_stack_that_an_earlier_version_started_is_recognized(local: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    """It had two more ports: those of the log servers."""
    record = {"company": asdict(local.company), "ports": {**asdict(PORTS), "airflow_logs": 9058, "triggerer_logs": 9059}}
    (local_home() / "up.json").write_text(json.dumps({**record, "pids": {"warehouse": 1}}))
    monkeypatch.setattr(stack, "alive", lambda pid: True)
    assert stack.kept() == (local.company, PORTS, {"warehouse": 1})
