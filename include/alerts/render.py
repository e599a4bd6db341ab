"""Renders a message as Slack blocks, as an e-mail, and as a PagerDuty event."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from include.alerts.freshness import moment
from include.alerts.occurrence import Message, Occurrence, plain
from include.settings import settings

#: The number of occurrences that a message lists. The others are only counted.
_SHOWN = 8

# Criticality → colour in e-mails, emoji in Slack, severity in PagerDuty.
_LOOKS: dict[str, tuple[str, str, str]] = {
    "critical": ("#c01c28", ":red_circle:", "critical"),
    "high": ("#c64600", ":large_orange_circle:", "error"),
    "medium": ("#986a00", ":large_yellow_circle:", "warning"),
    "low": ("#5f6b7a", ":white_circle:", "info"),
}
_RESOLVED = ("#26803b", ":white_check_mark:", "info")


@dataclass(frozen=True)
class Mail:
    """An e-mail. Its HTML and text have the same content."""

    subject: str
    html: str
    text: str


def slack_text(message: Message) -> str:
    """The line that Slack shows in notifications."""
    return _escaped(message.subject)


def slack_blocks(message: Message) -> list[dict[str, Any]]:
    """The message as blocks of Slack's Block Kit."""
    _, sign, _ = _look(message)
    blocks: list[dict[str, Any]] = [_section(f"{sign} *{_escaped(message.subject)}*")]
    shared = message.shared_cause
    blocks += [_section("\n".join(_slack_cause(shared)))] if shared else []
    for occurrence in message.occurrences[:_SHOWN]:
        blocks += [{"type": "divider"}, *_slack_occurrence(occurrence, cause=shared is None)]
    if more := len(message.occurrences) - _SHOWN:
        blocks += [_section(f"and {more} more: see ops.freshness_events and ops.alerts")] if more > 0 else []
    url = runbook_url(message)
    runbook = f"<{_slack_url(url)}|{message.runbook}>" if url else f"docs/runbooks/{message.runbook}"
    footer = f"Runbook: {runbook}   ·   incident {message.incident_id}, since {moment(message.opened_at)}"
    blocks.append({"type": "context", "elements": [{"type": "mrkdwn", "text": footer, "verbatim": True}]})
    return blocks


def mail(message: Message) -> Mail:
    """The message as an e-mail."""
    colour, _, _ = _look(message)
    values = {
        "message": message,
        "shown": message.occurrences[:_SHOWN],
        "more": max(len(message.occurrences) - _SHOWN, 0),
        "shared": message.shared_cause,
        "colour": colour,
        "label": "Resolved" if message.recovers else f"{message.severity} · {message.headline}",
        "runbook_url": runbook_url(message),
        "opened_at": moment(message.opened_at),
    }
    templates = _templates()
    return Mail(
        message.subject,
        templates.get_template("mail.html.j2").render(values),
        templates.get_template("mail.txt.j2").render(values),
    )


def pagerduty_event(message: Message) -> dict[str, Any]:
    """The arguments of Airflow's PagerdutyNotifier: an event of PagerDuty's Events API v2.

    The incident's id is the deduplication key. So reminders update the same page, and the recovery resolves it.
    """
    first = message.occurrences[0]
    logs = {_web(o.log_url): f"Log of {o.name}" for o in reversed(message.occurrences[:_SHOWN]) if _web(o.log_url)}
    links = [{"href": address, "text": text} for address, text in reversed(logs.items())]
    url = runbook_url(message)
    links += [{"href": url, "text": f"Runbook {message.runbook}"}] if url else []
    facts = {o.name: {k: v for k, v in _facts(o) if v} for o in message.occurrences[:_SHOWN]}
    return {
        "action": "resolve" if message.recovers else "trigger",
        "dedup_key": message.incident_id,
        "summary": message.subject,
        "severity": _look(message)[2],
        "source": "customer-intelligence-platform",
        "component": first.name,
        "group": first.owner,
        "class_type": message.kind,
        "custom_details": {**facts, "runbook": url or f"docs/runbooks/{message.runbook}"},
        "links": links,
    }


def runbook_url(message: Message) -> str | None:
    """The URL of the message's runbook; None if `RUNBOOKS_URL` is not set."""
    base = settings().runbooks_url
    return f"{base.rstrip('/')}/{message.runbook}" if base else None


def _look(message: Message) -> tuple[str, str, str]:
    return _RESOLVED if message.recovers else _LOOKS[message.severity]


def _facts(occurrence: Occurrence) -> list[tuple[str, str]]:
    return [
        ("Owner", occurrence.owner),
        ("Criticality", occurrence.severity),
        ("Expected", occurrence.expected),
        ("Actual", occurrence.actual),
        ("Likely cause", occurrence.cause),
        ("Detail", "\n".join(occurrence.details)),
    ]


def _slack_occurrence(occurrence: Occurrence, cause: bool) -> list[dict[str, Any]]:
    short = [(label, value) for label, value in _facts(occurrence)[:4] if value]
    fields = [{"type": "mrkdwn", "text": f"*{label}*\n{_escaped(value)}", "verbatim": True} for label, value in short]
    blocks: list[dict[str, Any]] = [_section(f"*{_escaped(occurrence.name)}*"), {"type": "section", "fields": fields}]
    lines = _slack_cause(occurrence) if cause else []
    lines += [f"•  {_escaped(line)}" for line in occurrence.details]
    return [*blocks, _section("\n".join(lines))] if lines else blocks


def _slack_cause(occurrence: Occurrence) -> list[str]:
    lines = [f"*Likely cause*  {_escaped(occurrence.cause)}"] if occurrence.cause else []
    url = _web(occurrence.log_url)
    return [*lines, f"<{_slack_url(url)}|Open the log in Airflow>"] if url else lines


def _section(text: str) -> dict[str, Any]:
    # verbatim: Slack does not turn text into links or mentions. Slack allows 3,000 characters per block.
    cut = text if len(text) <= 2900 else f"{text[:2900]}…"
    return {"type": "section", "text": {"type": "mrkdwn", "text": cut, "verbatim": True}}


def _escaped(text: str) -> str:
    """Text escaped for Slack, so that it cannot become a mention, a link or a channel name."""
    return plain(text, 600).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _web(url: str | None) -> str:
    """The URL if its scheme is http or https; else an empty string, because other schemes can run scripts."""
    return url if url and urlsplit(url).scheme in {"http", "https"} else ""


def _slack_url(url: str) -> str:
    """A URL encoded so that it cannot end the angle brackets of a Slack link."""
    for character, code in (("&", "&amp;"), ("<", "%3C"), (">", "%3E"), ("|", "%7C"), (" ", "%20")):
        url = url.replace(character, code)
    return url


@lru_cache(maxsize=1)
def _templates() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=select_autoescape(("html.j2",), default=False),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["web"] = _web
    return environment
