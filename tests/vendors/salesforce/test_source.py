"""The ready source file of Salesforce loads a whole account, and what changes on the next day."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from include.demo.vendors.common import Row
from include.demo.vendors.salesforce import CLIENT_ID, client_secret, record_id
from include.demo.vendors.salesforce.fields import AUTOMATED
from include.demo.vendors.salesforce.records import RESTORED
from tests.vendors.loading import Day, as_staged, differences, platform
from tests.vendors.salesforce.calls import UNKNOWN, expected
from tests.vendors.served import AS_OF, ORGANIZATION, company

PREFIX = "sf_"
#: Columns that the file cannot know: what it gives, and why.
CANNOT_KNOW: dict[str, dict[str, tuple[set[object], str]]] = {
    "leads": {
        "rep_user_id": (
            {PREFIX + record_id("005", AUTOMATED)},
            "each record has an owner, and SOQL does not say for an owner who may be a queue which type of user it is",
        )
    },
    "deals": {"lead_id": ({None}, "the lead names its opportunity, not the other way round")},
    "deal_stage_history": {"from_stage": ({None}, "OpportunityHistory has the stage after a change alone")},
    "activities": {
        "duration_minutes": ({None, 0}, "the duration of a call is in seconds; an event without a duration has 0 minutes"),
    },
}


@pytest.fixture(scope="module")
def days(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Day]]:
    """The loads of both days."""
    texts = {
        "my_company": ORGANIZATION,
        "00D000000000000AAA": record_id("00D", ORGANIZATION),
        "01s000000000000AAA": record_id("01s", "standard"),
        "{value: USD}": f"{{value: {company().organization['reporting_currency']}}}",
    }
    with platform("salesforce", CLIENT_ID, client_secret(), texts, tmp_path_factory.mktemp("salesforce")) as one:
        yield [one.load(AS_OF), one.load(AS_OF + timedelta(days=1), second=True)]


def without_restored(rows: list[Row]) -> list[Row]:
    """The rows without a task that only the vendor has."""
    return [row for row in rows if row.get("subject") != RESTORED]


@pytest.mark.parametrize("second", [False, True])
def test_the_file_gives_the_rows_of_the_company(days: list[Day], second: bool) -> None:
    for entity, rows in days[second].rows.items():
        wanted = as_staged(entity, expected(entity, second), PREFIX)
        assert wanted, entity
        found = differences(entity, without_restored(rows), wanted)
        known = CANNOT_KNOW.get(entity, {})
        assert found.keys() == known.keys(), (entity, found)
        for column, places in found.items():
            assert {given for given, _ in places.values()} == known[column][0], (entity, column)


def test_columns_that_salesforce_does_not_hold_are_unknown(days: list[Day]) -> None:
    for entity, columns in UNKNOWN.items():
        held = {"updated_at"} if entity == "ticket_priority_changes" else set()
        assert {row[column] for row in days[0].rows[entity] for column in columns - held} <= {None}, entity
    assert all(row["updated_at"] == row["changed_at"] for row in days[0].rows["ticket_priority_changes"])


def test_a_merged_case_stays_and_names_the_survivor(days: list[Day]) -> None:
    merged = [row for row in company().tables["tickets"] if row["merged_into_ticket_id"]]
    found = {row["ticket_id"]: row["merged_into_ticket_id"] for row in days[0].rows["tickets"]}
    assert merged
    for row in merged:
        loser, survivor = (PREFIX + record_id("500", row[column]) for column in ("ticket_id", "merged_into_ticket_id"))
        assert found[loser] == survivor


def test_the_next_load_reads_what_has_changed_and_finds_what_is_gone(days: list[Day]) -> None:
    first, second = (day.report.tables for day in days)
    for name in ("account", "opportunity", "task", "event", "order", "case", "case_history", "case_milestone"):
        assert 0 < second[name].rows_read < first[name].rows_read / 2, name
    gone = company(second=True).gone
    purged = {PREFIX + record_id("003", row["contact_id"]) for row in gone["contacts"]}
    binned = {PREFIX + record_id("00T", row["activity_id"]) for row in gone["activities"]}
    assert purged
    assert binned
    for entity, column, keys in (("contacts", "contact_id", purged), ("activities", "activity_id", binned)):
        before, after = ({row[column] for row in day.rows[entity]} for day in days)
        assert keys <= before
        assert not keys & after
    # The erased contact is in no list, so only the comparison of ids finds it. The task is in the recycle bin.
    assert (second["contact"].tombstones, second["task"].tombstones) == (len(purged), 0)


def test_a_restored_record_is_back(days: list[Day]) -> None:
    assert [sum(row["subject"] == RESTORED for row in day.rows["activities"]) for day in days] == [0, 1]
