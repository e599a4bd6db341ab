"""The rendered messages. A real browser checks that text from outside never becomes markup."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from include.alerts.occurrence import Message, Occurrence
from include.alerts.render import mail, pagerduty_event, slack_blocks, slack_text
from include.settings import settings
from tests.include.alerts.events import NOW
from tests.include.alerts.pictures import messages, slack_page
from tests.pipeline.browser import browser

HOSTILE = "<img src=x onerror=\"document.title='broken'\"><!channel> <http://evil|click> *bold* {{ 7 * 7 }} & co\r\nBcc: all@example.com"


def hostile() -> Message:
    occurrence = Occurrence(
        event_id="1",
        kind="sla_breached",
        scope="x",
        cause_key="x",
        name=HOSTILE,
        owner=HOSTILE,
        severity="high",
        at=NOW,
        expected=HOSTILE,
        actual=HOSTILE,
        cause=HOSTILE,
        details=(HOSTILE,),
        log_url="javascript:document.title='broken'",
    )
    return Message(incident_id="abc", opened_at=NOW, kind="sla_breached", severity="high", occurrences=(occurrence,))


def test_text_from_outside_never_becomes_markup(tmp_path: Path) -> None:
    message = hostile()
    for text in (str(slack_blocks(message)), slack_text(message)):
        assert "<!channel>" not in text and "<http" not in text and "javascript:" not in text
        assert "&lt;!channel&gt;" in text
    written = mail(message)
    assert "\n" not in written.subject and "\r" not in written.subject
    assert "<img" not in written.html and "javascript:" not in written.html
    assert "{{ 7 * 7 }}" in written.html, "the text is not rendered as a template"
    assert "\nBcc:" not in written.text
    with browser("") as window:
        for name, page in (("mail", written.html), ("slack", slack_page(slack_blocks(message)))):
            path = tmp_path / f"{name}.html"
            path.write_text(page, encoding="utf-8")
            window.open(path.as_uri())
            assert window.driver.title != "broken"
            assert window.driver.execute_script("return document.images.length + document.links.length") == 0
            assert "document.title='broken'" in window.text()


def test_messages_that_the_release_before_has_stored_can_be_read() -> None:
    stored = hostile().model_dump_json().replace('"expected":', '"promised":')
    assert '"promised":' in stored
    assert Message.model_validate_json(stored) == hostile()


def test_a_shared_cause_is_shown_once() -> None:
    message = messages()["breached"]
    assert len(message.occurrences) == 3
    written = mail(message)
    for text in (written.html, written.text, str(slack_blocks(message))):
        assert text.count("core.fct_deals.run failed") == 1
        assert text.count("mart_revenue_kpis") == 1
    assert [link["text"] for link in pagerduty_event(message)["links"]] == ["Log of marts.mart_mrr_waterfall"]


def test_the_recovery_repeats_the_cause() -> None:
    assert "core.fct_deals.run failed" in mail(messages()["recovered"]).text


def test_a_message_about_many_tables_stays_within_the_limits_of_slack() -> None:
    one = messages()["breached"].occurrences[0]
    many = tuple(one.model_copy(update={"name": f"marts.mart_{i}", "details": ("x" * 600,) * 6}) for i in range(60))
    message = messages()["breached"].model_copy(update={"occurrences": many})
    blocks = slack_blocks(message)
    assert len(blocks) <= 50
    assert all(len(block.get("text", {}).get("text", "")) <= 3000 for block in blocks)
    assert "and 52 more" in str(blocks) and "and 52 more" in mail(message).text
    assert len(message.subject) <= 140


@pytest.mark.parametrize("base", ["https://docs.example.org/runbooks", "https://docs.example.org/runbooks/", None])
def test_the_runbook_is_a_link_if_its_url_is_known(monkeypatch: pytest.MonkeyPatch, base: str | None) -> None:
    if base:
        monkeypatch.setenv("RUNBOOKS_URL", base)
    settings.cache_clear()
    message = messages()["breached"]
    texts = (str(slack_blocks(message)), mail(message).text, mail(message).html, str(pagerduty_event(message)))
    wanted = "https://docs.example.org/runbooks/freshness-breached.md" if base else "docs/runbooks/freshness-breached.md"
    assert all(wanted in text for text in texts)
    settings.cache_clear()


def test_a_mail_names_the_kind_in_words() -> None:
    late, recovered = (mail(messages()[name]).html for name in ("breached", "recovered"))
    assert ">critical · Late<" in late and "sla" not in late.lower().replace("freshness sla", "")
    assert ">Resolved<" in recovered


def test_a_reminder_has_its_number_in_the_subject() -> None:
    message = messages()["breached"].model_copy(update={"step": 2, "after": timedelta(hours=2)})
    assert message.subject.endswith("still open, reminder 2")
    assert pagerduty_event(message)["dedup_key"] == message.incident_id
