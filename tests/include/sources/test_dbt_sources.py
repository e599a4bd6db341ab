"""dbt's source files are generated from the source YAMLs, and drift is detected."""

from __future__ import annotations

import ast
import shutil
from pathlib import Path

import pytest
import yaml

from include.contract import contract
from include.settings import ROOT
from include.sources import load_sources
from include.sources.__main__ import main
from include.sources.versions import visible

FOLDER = ROOT / "include" / "sources"


def test_the_repository_has_no_drift(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["dbt-sources", "--check", "--dbt-dir", str(ROOT / "dbt")]) == 0
    assert "up to date" in capsys.readouterr().out


def test_generated_files(tmp_path: Path) -> None:
    assert main(["dbt-sources", "--dbt-dir", str(tmp_path)]) == 0
    text = (tmp_path / "models" / "staging" / "crm" / "_crm__sources.yml").read_text()
    assert text.startswith("# Generated from include/sources/crm.yml")
    (source,) = yaml.safe_load(text)["sources"]
    assert (source["name"], source["schema"], source["database"]) == ("crm", "raw_crm", "{{ target.project }}")
    assert "where source = 'crm' and table_name = '{{ this.identifier }}'" in source["config"]["loaded_at_query"]
    assert [table["name"] for table in source["tables"]] == list(load_sources()["crm"].tables)
    contacts = next(table for table in source["tables"] if table["name"] == "contacts")
    assert contacts["config"]["freshness"]["warn_after"] == {"count": 26, "period": "hour"}
    columns = {column["name"]: column for column in contacts["columns"]}
    assert columns["email"]["config"]["meta"]["pii"] is True
    assert columns["is_primary"]["data_type"] == "BOOL"
    assert columns["_is_deleted"]["data_type"] == "BOOL"
    assert all(column["description"] for column in contacts["columns"])


def test_the_macro_describes_the_raw_tables(tmp_path: Path) -> None:
    """dbt and the gates take the same SQL from the source files."""
    assert main(["dbt-sources", "--dbt-dir", str(tmp_path)]) == 0
    text = (tmp_path / "macros" / "raw_tables.sql").read_text()
    returned = text.partition("return(")[2].rpartition(") }}")[0]
    tables = ast.literal_eval(returned)
    sources = load_sources()
    assert list(tables) == [f"{source.name}.{table}" for source in sources.values() for table in source.tables]
    assert tables["crm.accounts"] == {
        "key": ["organization_id", "account_id"],
        "changed_at": "updated_at",
        "visible": "(updated_at < @as_of or updated_at is null) and (_restored_at < @as_of or _restored_at is null)",
        "order_time": "greatest(coalesce(_restored_at, updated_at), coalesce(updated_at, _restored_at))",
        "latest_first": "greatest(coalesce(_restored_at, updated_at), coalesce(updated_at, _restored_at)) desc, _extracted_at desc, _is_deleted desc, _loaded_at desc, _source_file_id desc",
        "happened": "true",
        "deleted": "_is_deleted",
    }
    assert tables["crm.outreach"]["happened"] == "(sent_at < @as_of or sent_at is null)"
    assert tables["reference.holidays"]["visible"] == "true"
    assert tables["reference.fx_rates"]["visible"] == "(timestamp(rate_date) < @as_of or timestamp(rate_date) is null)"
    assert tables["product.usage_events"]["visible"] == visible(sources["product"], sources["product"].tables["usage_events"])
    assert tables["product.usage_events"]["latest_first"].startswith("_extracted_at desc")


def test_drift_is_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sources, dbt = tmp_path / "sources", tmp_path / "dbt"
    sources.mkdir()
    for path in FOLDER.glob("*.yml"):
        shutil.copy(path, sources)
    arguments = ["--folder", str(sources), "dbt-sources", "--dbt-dir", str(dbt)]
    assert main(arguments) == 0
    assert main([*arguments, "--check"]) == 0
    path = sources / "billing.yml"
    path.write_text(path.read_text().replace("subscriptions: {}", "subscriptions: {description: Terms of a customer.}"))
    (sources / "reference.yml").unlink()
    capsys.readouterr()
    assert main([*arguments, "--check"]) == 1
    shown = capsys.readouterr()
    changed = [line.split() for line in shown.out.splitlines() if line.startswith("+ ")]
    assert changed[0] == ["+", "'views':", "[],"], "no view feeds the entities of the source that is gone"
    assert changed[-1] == ["+", "description:", "Terms", "of", "a", "customer."]
    assert "--- models/staging/reference/stg_reference__holidays.sql" in shown.out
    assert "--- models/staging/reference/_reference__sources.yml" in shown.out
    assert "run `python -m include.sources dbt-sources`" in shown.err


def test_an_invalid_file_is_reported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "x.yml").write_text("owner: me\n")
    assert main(["--folder", str(tmp_path), "check"]) == 1
    assert "x.yml: description: is missing" in capsys.readouterr().err
    assert main(["check"]) == 0
    assert "5 sources, 27 tables: all valid" in capsys.readouterr().out


def test_staging_views_are_generated_and_hand_written_ones_are_left(tmp_path: Path) -> None:
    own = tmp_path / "models" / "staging" / "billing" / "stg_billing__subscriptions.sql"
    own.parent.mkdir(parents=True)
    own.write_text("select 1 as mine")
    sources = tmp_path / "sources"
    sources.mkdir()
    for path in FOLDER.glob("*.yml"):
        shutil.copy(path, sources)
    arguments = ["--folder", str(sources), "dbt-sources", "--dbt-dir", str(tmp_path)]
    assert main(arguments) == 0
    assert own.read_text() == "select 1 as mine"
    assert sorted(path.name for path in own.parent.glob("*")) == [
        "_billing__sources.yml",
        "_billing__staging.yml",
        "stg_billing__invoices.sql",
        "stg_billing__subscriptions.sql",
    ]
    accounts = (tmp_path / "models" / "staging" / "crm" / "stg_crm__accounts.sql").read_text()
    assert "{{ latest_rows('crm', 'accounts') }}" in accounts
    selected = accounts.partition("select\n")[2].partition("    from source")[0]
    names = [line.strip(" ,").rpartition(" ")[2] for line in selected.splitlines()]
    assert names == ["source_system", *contract()["accounts"].columns, "_extracted_at", "_loaded_at", "_batch_id"]
    described = yaml.safe_load((tmp_path / "models" / "staging" / "crm" / "_crm__staging.yml").read_text())["models"]
    columns = {model["name"]: {column["name"]: column for column in model["columns"]} for model in described}
    assert list(columns["stg_crm__accounts"]) == names
    assert list(columns["stg_crm__accounts__versions"]) == [*names[:-3], "_is_deleted", *names[-3:]]
    assert columns["stg_crm__contacts"]["email"]["config"]["meta"]["pii"] is True
    assert columns["stg_crm__accounts"]["annual_revenue"]["data_type"] == "NUMERIC"

    (sources / "product.yml").unlink()
    assert main(arguments) == 0
    assert not list((tmp_path / "models" / "staging" / "product").glob("stg_*"))
    assert not (tmp_path / "models" / "staging" / "product" / "_product__staging.yml").exists()


def test_the_macro_of_feeds_names_views_and_columns(tmp_path: Path) -> None:
    assert main(["dbt-sources", "--dbt-dir", str(tmp_path)]) == 0
    text = (tmp_path / "macros" / "feeds.sql").read_text()
    feeds = ast.literal_eval(text.partition("return(")[2].rpartition(") }}")[0])
    assert list(feeds) == list(contract())
    assert feeds["accounts"]["views"] == [
        {"source": "crm", "view": "stg_crm__accounts", "versions": "stg_crm__accounts__versions"}
    ]
    assert feeds["invoices"]["views"] == [{"source": "billing", "view": "stg_billing__invoices", "versions": None}]
    assert feeds["fx_rates"]["columns"] == {"rate_date": "date", "currency": "string", "rate_to_usd": "numeric"}
