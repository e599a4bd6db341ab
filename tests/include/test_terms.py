"""The words that several packages read: what one accepts, every one does."""

from __future__ import annotations

from datetime import timedelta

import pytest
from pydantic import TypeAdapter, ValidationError

from include.freshness import load_freshness_slas
from include.orchestration import refreshes
from include.orchestration.refreshes import refreshes_of
from include.terms import MINUTES, Duration, cadence_interval, refreshed_by

CADENCES = ["hourly", *(f"every {count} minutes" for count in (5, 6, 10, 12, 15, 20, 30))]


@pytest.mark.parametrize("cadence", CADENCES)
def test_an_sla_of_every_cadence_has_the_refresh_that_it_names(cadence: str) -> None:
    node = {
        "unique_id": "model.customer_intelligence.mart_a",
        "resource_type": "model",
        "name": "mart_a",
        "alias": "mart_a",
        "schema": "marts_build",
        "group": "finance",
        "original_file_path": "models/marts/mart_a.sql",
        "depends_on": {"nodes": []},
        "config": {
            "enabled": True,
            "meta": {"sla": {"cadence": cadence, "fresh_within": "45m", "criticality": "high"}},
        },
    }
    manifest = {"nodes": {node["unique_id"]: node}, "sources": {}}
    (sla,) = load_freshness_slas(manifest).values()
    (refresh,) = refreshes_of(manifest).values()
    assert (refresh.dag_id, refresh.interval) == (sla.refreshed_by, sla.cadence_interval)
    assert refresh.tables == (sla.key,)


def test_the_project_s_own_refreshes_are_those_that_its_slas_name(manifest: object) -> None:
    assert set(refreshes()) == {sla.refreshed_by for sla in load_freshness_slas().values()} - {"transform"}


@pytest.mark.parametrize("cadence", ["weekly", "every 7 minutes", "every 60 minutes", "every 05 minutes", "", "Daily"])
def test_other_words_are_refused_with_those_that_there_are(cadence: str) -> None:
    with pytest.raises(ValueError, match=r"is not a cadence: write daily, hourly, or every 5, 6, 10, 12, 15, 20 or 30 minutes"):
        cadence_interval(cadence)


def test_cadences_divide_the_hour() -> None:
    assert all(60 % count == 0 for count in MINUTES)
    assert (cadence_interval("daily"), refreshed_by("daily")) == (timedelta(days=1), "transform")
    assert (cadence_interval("every 20 minutes"), refreshed_by("every 20 minutes")) == (
        timedelta(minutes=20),
        "refresh_every_20_minutes",
    )


@pytest.mark.parametrize(
    ("text", "meant"),
    [("30m", timedelta(minutes=30)), ("6h", timedelta(hours=6)), ("2d", timedelta(days=2)), ("0m", timedelta(0))],
)
def test_durations(text: str, meant: timedelta) -> None:
    assert TypeAdapter(Duration).validate_python(text) == meant


@pytest.mark.parametrize("text", ["6", "h", "-1h", "1.5h", "6 h", "999999d", None])
def test_what_is_no_duration(text: object) -> None:
    with pytest.raises(ValidationError, match="is not a duration: write a number and m, h or d"):
        TypeAdapter(Duration).validate_python(text)
