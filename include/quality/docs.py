"""The gates' latest results as web pages: Great Expectations' data docs, and an overview that needs no network.

Data docs take their styles and scripts from public servers: where those cannot be reached, pages are plain and the index
of all results is empty. The overview contains everything it needs.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote, urlparse

from include.pages import web_page
from include.quality.builder import gates as all_gates
from include.quality.context import open_context
from include.quality.gate import outcome_of
from include.quality.render import SITE
from include.quality.verdict import VERDICTS, GateVerdict, Outcome
from include.restatements.page import PAGE as RESTATEMENTS
from include.terms import GATED

if TYPE_CHECKING:
    from great_expectations.data_context import FileDataContext

#: Results kept of each suite. The time to render grows with their number; `ops.gate_results` keeps every verdict.
KEPT_RESULTS = 3

#: Great Expectations' own index of everything, which the overview replaces.
ALL_RESULTS = "data_docs.html"
#: The status of the freshness SLAs, beside the data docs, if the monitor has written it.
FRESHNESS = "freshness.html"


def build_data_docs() -> Path:
    """Render the gates' latest results.

    Returns:
        Path of the overview, which links to every page of the data docs.
    """
    with open_context({name: [gate] for name, gate in all_gates().items()}) as context:
        latest = _keep_latest(context)
        context.clean_data_docs(site_name=SITE)
        index = Path(unquote(urlparse(context.build_data_docs(site_names=[SITE])[SITE]).path))
        index.rename(index.with_name(ALL_RESULTS))
        index.write_text(_overview(context, latest, index.parent), encoding="utf-8")
    return index


def _keep_latest(context: FileDataContext) -> list[Any]:
    """Delete all but the last few results of each suite, and all results of removed suites; returns the key of each suite's last result."""
    store = context.validation_results_store
    known = {suite.name for suite in context.suites.all()}
    by_suite: dict[str, list[Any]] = defaultdict(list)
    for key in store.list_keys():
        by_suite[key.expectation_suite_identifier.name].append(key)
    for name, keys in by_suite.items():
        keys.sort(key=lambda key: key.run_id.run_time, reverse=True)
        for key in keys[KEPT_RESULTS if name in known else 0 :]:
            store.remove_key(key)
    return [keys[0] for name, keys in sorted(by_suite.items()) if name in known]


def _overview(context: FileDataContext, keys: Sequence[Any], site: Path) -> str:
    """One page: each gate's last verdict, and every expectation with what was found, the severest first."""
    gates: dict[str, list[tuple[Outcome, str]]] = defaultdict(list)
    runs: dict[str, str] = {}
    for key in keys:
        gate = key.expectation_suite_identifier.name.split(".")[0]
        runs[gate] = f"{key.run_id.run_name}, {key.run_id.run_time:%Y-%m-%d %H:%M} UTC"
        (url,) = context.get_docs_sites_urls(resource_identifier=key, site_name=SITE)
        page = Path(unquote(urlparse(url["site_url"] or "").path))
        link = quote(str(page.relative_to(site))) if page.is_relative_to(site) else ALL_RESULTS
        result = context.validation_results_store.get(key)
        gates[gate] += [(outcome_of(item), link) for item in result.results]
    beside = {FRESHNESS: "Freshness SLAs", RESTATEMENTS: "Restatements and closed months"}
    links = "".join(f" <a href='../{page}'>{title}</a>." for page, title in beside.items() if (site.parent / page).exists())
    sections = "".join(_section(gate, runs[gate], found) for gate, found in sorted(gates.items(), key=_pipeline_order))
    return web_page(
        "Gates",
        f"<h1>Gates <small>what was checked last, and what was found</small></h1>"
        f"<p>Details and history: <a href='{ALL_RESULTS}'>data docs</a>, <code>ops.gate_results</code>, "
        f"<code>ops.reconciliation</code>, <code>quarantine.quarantined_rows</code>.{links}</p>{sections}",
    )


def _pipeline_order(gate: tuple[str, object]) -> tuple[int, str]:
    """Raw gates by name, then the gates of the layers in the order of a run."""
    name = gate[0]
    return (GATED.index(name) + 1 if name in GATED else 0, name)


def _section(gate: str, run: str, found: Sequence[tuple[Outcome, str]]) -> str:
    verdict = GateVerdict(gate, tuple(outcome for outcome, _ in found)).verdict
    ordered = sorted(found, key=lambda one: (-VERDICTS.index(one[0].verdict), one[0].relation, one[0].name))
    rows = "".join(_row(outcome, link) for outcome, link in ordered)
    return (
        f"<h2>{escape(gate)} {_badge(verdict)} <small>{escape(run)}</small></h2><table><tr><th>Verdict<th>Expectation"
        f"<th>Relation<th>Else<th>Found<th>Why</tr>{rows}</table>"
    )


def _row(outcome: Outcome, link: str) -> str:
    found = outcome.error or ("" if outcome.success else outcome.observed)
    return (
        f"<tr><td>{_badge(outcome.verdict)}<td><a href='{link}'>{escape(outcome.name)}</a><td>{escape(outcome.relation)}"
        f"<td>{outcome.action}<td class='n'>{escape(found)}<td>{escape(outcome.reason)}</tr>"
    )


def _badge(verdict: str) -> str:
    return f"<b class='{verdict}'>{verdict}</b>"
