"""The generated pages: parsed definitions, page contents, links, and detection of an outdated page."""

from __future__ import annotations

import copy
import json
import re
from pathlib import Path
from typing import Any

import pytest

from include.catalog import FACTS, METRICS, __main__, metric_pages, metrics, render, write_metric_pages
from include.catalog.definitions import DEFINITIONS, DefinitionError, computed_by, read_definitions
from include.manifest import read_manifest

SOURCE = """\
# Metric definitions

Built today: all of it.

## Conventions

- Months are calendar months.
- Roll-up: to the top.

## Revenue

- **MRR of a subscription in month M** = price,
  by the month.
- **NRR (trailing 12 months)**: now ÷ then. **GRR** = never above 100.
  - then: twelve months
    before
- Golden: 100, 150 → new 100, expansion 50.
"""
NRR = "mart_nrr"


@pytest.fixture
def known() -> dict[str, Any]:
    """A manifest of one mart with a golden case, tests and a question, and of a second table without a definition."""
    project = {"package_name": "shop", "original_file_path": f"models/marts/{NRR}.sql", "group": "finance"}
    mart = {
        **project,
        "unique_id": f"model.shop.{NRR}",
        "name": NRR,
        "alias": NRR,
        "resource_type": "model",
        "schema": "marts_build",
        "description": "One row per month.\nMore of it. Definition: NRR (trailing 12 months, fixed base), GRR. And more.",
        "config": {"meta": {"sla": {"cadence": "daily", "fresh_within": "6h", "criticality": "high"}}},
        "raw_code": "select 1 as nrr_pct",
        "columns": {},
        "depends_on": {"nodes": []},
    }
    other = {**mart, "unique_id": "model.shop.other", "name": "other", "alias": "other", "description": "One row per day."}
    reads = {"depends_on": {"nodes": [mart["unique_id"]]}}

    def test(name: str, severity: str, meta: dict[str, str], **node: Any) -> dict[str, Any]:
        config = {"severity": severity, "meta": meta}
        return {"unique_id": f"test.shop.{name}", "name": name, "resource_type": "test", "config": config, **reads, **node}

    valid = {
        "name": "rows_are_valid",
        "kwargs": {
            "key": ["month", "kind"],
            "unique": ["month"],
            "not_null": ["month"],
            "accepted_values": {"kind": ["trailing", "flow"]},
            "accepted_range": {"nrr_pct": {"min": 0, "exclusive": True}, "grr_pct": {"min": 0, "max": 100}},
            "expression_is_true": {"grr_below_nrr": "grr_pct\n  <= nrr_pct"},
            "relationships": {"month": {"to": "ref('dim_month')", "field": "month", "where": "is_current"}},
            "warns": {
                "not_null": ["nrr_pct"],
                "accepted_range": {"nrr_pct": {"max": 900, "reason": "a slip"}},
                "expression_is_true": {"rates": {"expression": "nrr_pct\n  >= 0", "reason": "a refund"}},
            },
        },
    }
    known = {"name": "relationships", "kwargs": {"column_name": "month", "to": "ref('dim_day')"}}
    elsewhere = {"name": "relationships", "kwargs": {"column_name": "month", "to": f"ref('{NRR}')"}}
    nodes = [
        mart,
        other,
        test("valid", "ERROR", {}, test_metadata=valid, attached_node=mart["unique_id"]),
        test("known", "ERROR", {}, test_metadata=known, attached_node=mart["unique_id"]),
        test("agrees", "WARN", {"reason": "two systems"}, raw_code="-- They agree.\nselect 1", attached_node=None),
        test("sums", "ERROR", {}, raw_code="-- Both sides\n-- agree.\nselect 1", attached_node=None),
        test("from_elsewhere", "ERROR", {}, test_metadata=elsewhere, attached_node=other["unique_id"]),
        {
            "unique_id": "analysis.shop.q",
            "name": "q",
            "resource_type": "analysis",
            "description": "Do we keep them?",
            "raw_code": f"select nrr_pct from {{{{ ref('{NRR}') }}}}\n",
            "config": {"meta": {"topic": "Retention"}},
            **reads,
        },
    ]
    case = {
        "name": "a_month",
        "description": "Half is kept:\n- The rest left.\n",
        "expect": {"rows": [{"month": 1, "nrr_pct": None}]},
        **reads,
    }
    return {
        "nodes": {node["unique_id"]: node for node in nodes},
        "unit_tests": {"unit_test.shop.a_month": case},
        "groups": {"group.shop.finance": {"owner": {"name": "Finance"}}},
    }


def names(manifest: dict[str, Any]) -> set[str]:
    return {path.name for path in metric_pages(manifest, SOURCE)}


def test_a_definition_is_named_by_its_bold_or_leading_terms() -> None:
    found = [(definition.section, definition.terms, definition.page) for definition in read_definitions(SOURCE)]
    assert found == [
        ("Conventions", ("Roll-up",), "roll-up.md"),
        ("Revenue", ("MRR of a subscription in month M",), "mrr-of-a-subscription-in-month-m.md"),
        ("Revenue", ("NRR (trailing 12 months)", "GRR"), "nrr.md"),
    ]
    assert read_definitions(SOURCE)[1].text == "**MRR of a subscription in month M** = price, by the month."
    assert read_definitions(SOURCE)[2].text.endswith("never above 100.\n  - then: twelve months before")


def test_only_computed_definitions_have_a_page(known: dict[str, Any]) -> None:
    assert names(known) == {"README.md", "queries.md", "nrr.md"}
    index = metric_pages(known, SOURCE)[METRICS / "README.md"]
    assert "| [GRR](nrr.md) | Revenue | `marts.mart_nrr` |" in index


def test_a_page_has_the_definition_the_sql_the_golden_case_and_the_tests(known: dict[str, Any]) -> None:
    page = metric_pages(known, SOURCE)[METRICS / "nrr.md"]
    for expected in (
        "# NRR (trailing 12 months), GRR\n",
        "**NRR (trailing 12 months)**: now ÷ then. **GRR** = never above 100.",
        "| [marts.mart_nrr](#martsmart_nrr) | Finance | daily, within 6h, high |",
        "<summary>dbt/models/marts/mart_nrr.sql</summary>\n\n```sql\nselect 1 as nrr_pct\n```",
        "**a_month**\n\nHalf is kept:\n- The rest left.\n\n| month | nrr_pct |\n| --- | --- |\n| 1 | NULL |\n",
        "- `nrr_pct >= 0` (warns: a refund)\n",
        "- `nrr_pct` is at most 900 (warns: a slip)\n",
        "- never NULL: `nrr_pct` (warns)\n",
        "- no two rows with the same `month`, `kind` (stops the build)\n",
        "- `month` is unique (stops the build)\n",
        "- `month` is in `dim_month` where `is_current` (stops the build)\n",
        "- `month` is in `dim_day` (stops the build)\n",
        "- `agrees`: They agree. (warns: two systems)\n",
        "- never NULL: `month` (stops the build)\n",
        "- `kind` is one of trailing, flow (stops the build)\n",
        "- `nrr_pct` is more than 0 (stops the build)\n",
        "- `grr_pct` is at least 0 and at most 100 (stops the build)\n",
        "- `grr_pct <= nrr_pct` (stops the build)\n",
        "- `sums`: Both sides agree. (stops the build)\n",
        "- Do we keep them?\n",
    ):
        assert expected in page, expected
    assert "from_elsewhere" not in page and "is in `mart_nrr`" not in page, (
        "a relationships test of another table belongs to that table"
    )


def test_a_name_may_be_the_first_whole_words_of_a_term(known: dict[str, Any]) -> None:
    model = known["nodes"][f"model.shop.{NRR}"]
    model["description"] = "One row. Definition: MRR."
    assert names(known) == {"README.md", "queries.md", "mrr-of-a-subscription-in-month-m.md"}
    for wrong in ("MR", "Churn"):
        changed = copy.deepcopy(known)
        changed["nodes"][f"model.shop.{NRR}"]["description"] = f"One row. Definition: {wrong}."
        with pytest.raises(DefinitionError, match=rf"{NRR} names the definition '{wrong}', which docs/metrics.md has 0 times"):
            metric_pages(changed, SOURCE)


def test_a_query_reads_published_tables(known: dict[str, Any]) -> None:
    page = metric_pages(known, SOURCE)[METRICS / "queries.md"]
    assert "## Retention\n\n**Do we keep them?**\n\n```sql\nselect nrr_pct from marts.mart_nrr\n```\n" in page


def test_pages_that_are_no_longer_generated_are_deleted(manifest: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(metrics, "METRICS", tmp_path / "metrics")
    (tmp_path / "metrics").mkdir()
    (tmp_path / "metrics" / "extra.md").write_text("# Extra\n")
    index = write_metric_pages()
    written = {path.name for path in index.parent.iterdir()}
    assert "nrr.md" in written and "extra.md" not in written


def test_every_link_of_the_facts_leads_to_a_file_and_a_heading(manifest: Path) -> None:
    page = render(json.loads(manifest.read_text()))
    links = re.findall(r"\]\(([^)#]*)(?:#([^)]*))?\)", page)
    assert {Path(file).suffix for file, _ in links} == {"", ".md", ".sql", ".yml"}
    for file, anchor in links:
        target = FACTS.parent / file if file else FACTS
        assert target.exists(), file
        headings = re.findall(r"^#+ (.+)$", page if target == FACTS else target.read_text(), re.MULTILINE) if anchor else []
        assert not anchor or anchor in {heading.lower().replace(" ", "-").replace(".", "") for heading in headings}, anchor


def test_an_outdated_page_is_found(manifest: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    facts = tmp_path / "facts.md"
    monkeypatch.setattr(__main__, "FACTS", facts)
    assert __main__.main(["--check"]) == 1
    assert not facts.exists()
    assert __main__.main([]) == 0
    assert __main__.main(["--check"]) == 0
    facts.write_text(facts.read_text() + "more\n")
    assert __main__.main(["--check"]) == 1


def test_every_definition_is_built(manifest: Path) -> None:
    definitions = read_definitions(DEFINITIONS.read_text())
    missing = set(definitions) - set(computed_by(read_manifest(manifest), definitions))
    assert {definition.terms for definition in missing} == set()


def test_the_models_of_the_project_name_known_definitions(manifest: Path) -> None:
    pages = metric_pages(read_manifest(manifest), DEFINITIONS.read_text())
    computed = {path.name for path in pages}
    assert {"order-revenue.md", "sla-compliance.md", "weighted-amount-of-a-deal.md", "facility-health.md"} <= computed
