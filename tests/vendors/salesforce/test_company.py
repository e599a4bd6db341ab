"""simple-salesforce reads the whole company, on both days."""

from __future__ import annotations

import csv
import io
from datetime import datetime, timedelta

import pytest
from simple_salesforce import Salesforce, SalesforceMalformedRequest

from include.demo.cases_sales import AWKWARD_TEXT
from include.demo.schema import TABLES
from include.demo.vendors import vendor_app
from include.demo.vendors.common import Faults, Row
from include.demo.vendors.salesforce import CLIENT_ID, client_secret, record_id
from include.demo.vendors.salesforce.ids import with_checksum
from include.demo.vendors.salesforce.objects import BY_NAME, SOBJECTS
from include.demo.vendors.salesforce.records import RESTORED, org
from tests.vendors.running import running
from tests.vendors.salesforce.calls import expected, same
from tests.vendors.salesforce.reading import client
from tests.vendors.salesforce.rows import tables
from tests.vendors.served import company, order


def test_the_client_reads_the_whole_company(read: dict[str, list[Row]]) -> None:
    for table, rows in read.items():
        wanted = expected(table)
        found = [row for row in rows if row.get("subject") != RESTORED]
        if table == "deals":
            # An opportunity always has a close date.
            for row in wanted:
                row["expected_close_date"] = row["expected_close_date"] or (row["created_at"] + timedelta(days=90)).date()
        if table == "ticket_sla_events":
            # A milestone is violated or not.
            for row in wanted:
                row["breached"] = bool(row["breached"])
        if table == "deal_stage_history":
            # The stage before the first known change is unknown.
            first = {
                min((r["changed_at"], r["history_id"]) for r in wanted if r["deal_id"] == deal)
                for deal in {r["deal_id"] for r in wanted}
            }
            for row in wanted:
                row["from_stage"] = None if (row["changed_at"], row["history_id"]) in first else row["from_stage"]
        same(table, found, wanted)


def test_a_merged_record_is_in_the_bin_and_names_the_survivor(read: dict[str, list[Row]]) -> None:
    merged = [row for row in read["tickets"] if row["merged_into_ticket_id"]]
    assert merged
    assert all(row["_deleted"] for row in merged)
    held = org(company(organization=None))
    losers = [one for one in held.records["Account"] if one["MasterRecordId"]]
    assert losers
    assert all(one["IsDeleted"] for one in losers)
    assert not {one["AccountId"] for one in held.records["Contact"]} & {one["Id"] for one in losers}


def test_ids_have_a_checksum_and_the_order_of_the_keys() -> None:
    # 001A0 has a capital in the fourth place (8: I), 00001 has none (0: A), BqLFM has all but the second (29: 3).
    assert with_checksum("001A000001BqLFM") == "001A000001BqLFMIA3"
    keys = sorted(row[TABLES[name].id] for name in ("deals", "activities") for row in company().tables[name])
    ids = [record_id("006", key) for key in keys]
    assert ids == sorted(ids)
    assert len(set(ids)) == len(keys)


def test_old_closed_activities_are_archived(api: Salesforce) -> None:
    recent = {one["Id"] for one in api.query_all("SELECT Id FROM Event")["records"]}
    whole = {
        one["Id"]: one["IsArchived"] for one in api.query_all("SELECT Id, IsArchived FROM Event", include_deleted=True)["records"]
    }
    assert recent < set(whole)
    assert {key for key, archived in whole.items() if not archived} == recent


def test_a_deleted_record_is_seen_by_query_all_and_in_the_list_of_deletions(address: str, api: Salesforce) -> None:
    text = f"SELECT Id, IsDeleted, SystemModstamp FROM Task WHERE Subject = '{RESTORED}'"
    assert api.query(text)["totalSize"] == 0
    gone = api.query(text, include_deleted=True)["records"]
    assert [one["IsDeleted"] for one in gone] == [True]
    now = company().now
    listed = api.Task.deleted(now - timedelta(days=2), now)
    assert [one["id"] for one in listed["deletedRecords"]] == [gone[0]["Id"]]
    assert listed["deletedRecords"][0]["deletedDate"] == gone[0]["SystemModstamp"]
    assert {"earliestDateAvailable", "latestDateCovered"} < set(listed)
    with pytest.raises(SalesforceMalformedRequest, match="INVALID_REPLICATION_DATE"):
        api.Task.deleted(now - timedelta(days=31), now)
    order(address, deleted_since=1, deleted_ids=0)
    with pytest.raises(SalesforceMalformedRequest, match="EXCEEDED_ID_LIMIT"):
        api.Task.deleted(now - timedelta(days=2), now)
    order(address, deleted_since=1)
    known = datetime.fromisoformat(api.Task.deleted(now - timedelta(days=2), now)["earliestDateAvailable"])
    assert known > now - timedelta(days=2)


def test_the_next_day_has_changed_deleted_restored_and_purged_records(api: Salesforce, next_day: str) -> None:
    order(next_day)
    later, now = client(next_day, CLIENT_ID, client_secret()), company(second=True)
    gone = [one["Id"] for one in later.query("SELECT Id FROM Task WHERE IsDeleted = true", include_deleted=True)["records"]]
    assert gone == [record_id("00T", row["activity_id"]) for row in now.gone["activities"]] != []
    purged = {record_id("003", row["contact_id"]) for row in now.gone["contacts"]}
    assert purged
    text = "SELECT Id FROM Contact"
    before, after = ({one["Id"] for one in a.query_all(text, include_deleted=True)["records"]} for a in (api, later))
    assert purged <= before
    assert not purged & after
    back = later.query(f"SELECT SystemModstamp FROM Task WHERE Subject = '{RESTORED}'")["records"][0]["SystemModstamp"]
    since = f"{company().now:%Y-%m-%dT%H:%M:%S}Z"
    assert datetime.fromisoformat(back) > company().now
    changed = later.query(f"SELECT COUNT() FROM Task WHERE SystemModstamp >= {since}", include_deleted=True)["totalSize"]
    assert changed >= 2
    found = tables(later)
    for table in ("accounts", "contacts", "tickets"):
        same(table, found[table], expected(table, second=True))


def test_a_formula_changes_without_a_new_timestamp(api: Salesforce, next_day: str) -> None:
    order(next_day)
    text = "SELECT Id, Age_Days__c, SystemModstamp FROM Opportunity WHERE IsClosed = false"
    first, second = (
        {one["Id"]: (one["Age_Days__c"], one["SystemModstamp"]) for one in a.query_all(text)["records"]}
        for a in (api, client(next_day, CLIENT_ID, client_secret()))
    )
    aged = [key for key in first.keys() & second.keys() if first[key][1] == second[key][1]]
    assert aged
    assert all(second[key][0] == first[key][0] + 1 for key in aged)
    assert next(one["calculated"] for one in api.Opportunity.describe()["fields"] if one["name"] == "Age_Days__c")


def test_each_reference_leads_to_a_record() -> None:
    held = org(company(second=True))
    ids = {one["Id"] for rows in held.records.values() for one in rows}
    assert set(BY_NAME) == {one.name.lower() for one in SOBJECTS}
    for one in SOBJECTS:
        for field in one.fields:
            if field.to is not None and field.to != "Pricebook2":
                assert {record[field.name] for record in held.records[one.name]} - {None} <= ids, (one.name, field.name)


def test_a_text_of_several_lines_is_one_field_of_the_csv() -> None:
    with running(vendor_app("salesforce", company(organization=None), Faults())) as address:
        api = client(address, CLIENT_ID, client_secret())
        pages = list(api.bulk2.Case.query("SELECT Id, Subject FROM Case", wait=0))
    assert AWKWARD_TEXT in {row["Subject"] for page in pages for row in csv.DictReader(io.StringIO(page))}


def test_an_automated_change_moves_one_timestamp_alone(api: Salesforce) -> None:
    rows = api.query("SELECT LastModifiedDate, SystemModstamp FROM Product2")["records"]
    assert any(row["SystemModstamp"] > row["LastModifiedDate"] for row in rows)
