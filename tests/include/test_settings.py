"""The environment, read once and refused where it is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from pydantic import ValidationError

from include.settings import ROOT, Settings


def test_defaults_are_the_laptop(monkeypatch: pytest.MonkeyPatch) -> None:
    for field in Settings.model_fields.values():
        monkeypatch.delenv(str(field.alias), raising=False)
    found = Settings()
    assert found.project == "local"
    assert found.dbt_dir == ROOT / "dbt"
    assert found.maximum_bytes_billed is None


def test_every_setting_is_described() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description or not field.alias] == []


def test_every_setting_reaches_the_containers() -> None:
    """Less the paths, which are those of the image."""
    compose = yaml.safe_load((ROOT / "docker-compose.yaml").read_text())["x-platform"]["environment"]
    wanted = {str(field.alias) for field in Settings.model_fields.values() if field.annotation is not Path}
    assert wanted - set(compose) == set()


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("GOOGLE_CLOUD_PROJECT", "no spaces; drop table"),
        ("BIGQUERY_MAXIMUM_BYTES_BILLED", "0"),
        ("PLATFORM_SCHEDULES", "sometimes"),
        ("DBT_THREADS", "many"),
    ],
)
def test_a_wrong_value_names_its_variable(monkeypatch: pytest.MonkeyPatch, variable: str, value: str) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(ValidationError, match=variable):
        Settings()
