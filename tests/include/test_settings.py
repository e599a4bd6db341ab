"""The environment, read once and refused where it is wrong."""

from __future__ import annotations

import pytest
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
