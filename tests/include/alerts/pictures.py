"""Takes pictures of messages, drawn like in Slack and in a mail program.

Run `python -m tests.include.alerts.pictures docs/images`.
"""

from __future__ import annotations

import re
import sys
import tempfile
from pathlib import Path
from typing import Any

from include.alerts.freshness import from_freshness_event
from include.alerts.occurrence import Message
from include.alerts.plan import Plan
from include.alerts.render import mail, slack_blocks
from include.alerts.routing import load_routing
from tests.include.alerts.events import NOW, event

_SIGNS = {
    ":red_circle:": "#e01e5a",
    ":large_orange_circle:": "#e8912d",
    ":large_yellow_circle:": "#ecb22e",
    ":white_circle:": "#ddd",
    ":white_check_mark:": "#2eb67d",
}
_PAGE = """<!DOCTYPE html><meta charset="utf-8"><style>
body {{ margin: 0; padding: 20px 24px; background: #fff; font: 15px/1.46 Lato, "DejaVu Sans", Arial, sans-serif; color: #1d1c1d; width: 700px }}
.from {{ font-weight: 900; margin-bottom: 4px }} .from span {{ font-weight: 400; font-size: 12px; color: #616061; margin-left: 6px }}
.section {{ margin: 6px 0 }} .fields {{ display: grid; grid-template-columns: 1fr 1fr; gap: 8px 24px; margin: 6px 0 }}
hr {{ border: 0; border-top: 1px solid #ddd; margin: 12px 0 }} .context {{ font-size: 12px; color: #616061; margin-top: 10px }}
.sign {{ display: inline-block; width: 12px; height: 12px; border-radius: 6px; margin-right: 4px }}
a {{ color: #1264a3; text-decoration: none }}
</style><div class="from">Customer intelligence<span>APP</span></div>{body}"""


def slack_page(blocks: list[dict[str, Any]]) -> str:
    """Blocks as HTML. Like in Slack, only `*bold*` and `<address|text>` are markup."""
    return _PAGE.format(body="".join(_block(block) for block in blocks))


def _block(block: dict[str, Any]) -> str:
    if block["type"] == "divider":
        return "<hr>"
    if block["type"] == "context":
        return f'<div class="context">{"".join(_mrkdwn(element) for element in block["elements"])}</div>'
    if "fields" in block:
        return f'<div class="fields">{"".join(f"<div>{_mrkdwn(field)}</div>" for field in block["fields"])}</div>'
    return f'<div class="section">{_mrkdwn(block["text"])}</div>'


def _mrkdwn(text: dict[str, Any]) -> str:
    def link(found: re.Match[str]) -> str:
        address, _, label = found[1].partition("|")
        return f'<a href="{address}">{label or address}</a>'

    assert text["type"] == "mrkdwn" and text["verbatim"] is True
    raw = text["text"]
    # Text in angle brackets is a link or a mention. All other markup has been escaped.
    shown = re.sub(r"<([^<>]+)>", link, raw)
    shown = re.sub(r"\*([^*\n]+)\*", r"<b>\1</b>", shown)
    for sign, colour in _SIGNS.items():
        shown = shown.replace(sign, f'<i class="sign" style="background: {colour}"></i>')
    return shown.replace("\n", "<br>")


def messages() -> dict[str, Message]:
    """The messages about a breach of several tables and about their recovery."""
    late = [
        event("mart_mrr_waterfall", criticality="critical"),
        event("mart_nrr_summary"),
        event("mart_revenue_kpis", criticality="medium"),
    ]
    recovered = [event(e.table_name, "recovered", 96, criticality=e.criticality) for e in late]
    plan = Plan([], load_routing(), NOW)
    plan.record([from_freshness_event(change, {}) for change in [*late, *recovered]])
    # The recovery suppresses the alert about the breach, but both are in the plan.
    by_kind = {alert.kind: alert.message for alert in plan.added if alert.channel == "slack" and not alert.message.step}
    return {"breached": by_kind["sla_breached"], "recovered": by_kind["sla_recovered"]}


def main(folder: Path) -> None:
    from tests.pipeline.browser import browser

    with tempfile.TemporaryDirectory() as pages, browser("") as window:
        for name, message in messages().items():
            for form, page, width in (("slack", slack_page(slack_blocks(message)), 760), ("mail", mail(message).html, 720)):
                path = Path(pages) / f"{form}.html"
                path.write_text(page, encoding="utf-8")
                window.driver.set_window_size(width, 400)
                window.open(path.as_uri())
                height = window.driver.execute_script("return document.documentElement.scrollHeight")
                window.driver.set_window_size(width, height + 150)
                window.picture(folder / f"alert-{form}-{name}.png")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
