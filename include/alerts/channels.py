"""The ways out: one message through one of Airflow's notifiers.

Their `notify` is called, not the notifier itself: that would take the message for a template, and swallow what went wrong.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Any

from include.alerts.occurrence import Message, plain, without_addresses
from include.alerts.render import mail, pagerduty_event, slack_blocks, slack_text
from include.alerts.routing import Channel
from include.sources import ConnectionMissing, SourceConnection

log = logging.getLogger(__name__)

#: Seconds that Slack and PagerDuty may take to answer.
TIMEOUT = 15


class ChannelDown(Exception):
    """The message could not be sent; the text says why, without secrets."""


class NotConfigured(ChannelDown):
    """There is no Airflow connection for the channel, as on a laptop."""


def send(channel: Channel, conn_id: str, message: Message, alert_id: str, addresses: Sequence[str]) -> None:
    """Send one message.

    Args:
        channel: slack, email or pagerduty.
        conn_id: the Airflow connection.
        message: what is told.
        alert_id: the alert; a mail that is sent twice all the same carries the same Message-ID.
        addresses: the recipients, if it is a mail.

    Raises:
        NotConfigured: there is no such connection.
        ChannelDown: it was not taken.
    """
    try:
        connection = SourceConnection.from_airflow(conn_id)
    except ConnectionMissing as missing:
        raise NotConfigured(str(missing)) from None
    try:
        if channel == "email":
            _send_mail(conn_id, message, alert_id, addresses)
        else:
            _SENDERS[channel](connection, message)
    except Exception as error:
        said = f"{type(error).__name__}: {error}"
        # A webhook's secret is its whole address, or the end of it.
        for secret in {connection.secret, connection.secret.rpartition("/")[2]}:
            said = said.replace(secret, "***") if len(secret) > 3 else said
        raise ChannelDown(plain(without_addresses(said))) from None


def _send_slack(connection: SourceConnection, message: Message) -> None:
    from airflow.providers.slack.notifications.slack_webhook import SlackWebhookNotifier

    notifier = SlackWebhookNotifier(
        slack_webhook_conn_id=connection.conn_id,
        text=slack_text(message),
        blocks=slack_blocks(message),
        unfurl_links=False,
        unfurl_media=False,
        timeout=TIMEOUT,
    )
    notifier.notify({})


def _send_pagerduty(connection: SourceConnection, message: Message) -> None:
    """The notifier's own hook cannot be told the address, which differs by region (and in tests): its asynchronous one can."""
    from airflow.providers.pagerduty.notifications.pagerduty import PagerdutyNotifier

    notifier = PagerdutyNotifier(pagerduty_events_conn_id=None, integration_key=connection.secret, **pagerduty_event(message))
    if connection.host:
        notifier.hook_async.base_url = connection.url

    async def notify() -> None:
        await asyncio.wait_for(notifier.async_notify({}), TIMEOUT)

    asyncio.run(notify())


def _send_mail(conn_id: str, message: Message, alert_id: str, addresses: Sequence[str]) -> None:
    from email.mime.text import MIMEText

    from airflow.providers.smtp.hooks.smtp import SmtpHook
    from airflow.providers.smtp.notifications.smtp import SmtpNotifier

    written = mail(message)

    class TextAndHtml(SmtpHook):  # type: ignore[misc]
        """Airflow's mails are HTML alone; this one puts the text before it, for programs that show that."""

        def _build_mime_message(self, *args: Any, **kwargs: Any) -> Any:
            mime, recipients = super()._build_mime_message(*args, **kwargs)
            mime.set_payload([MIMEText(written.text, "plain", "utf-8"), *mime.get_payload()])
            return mime, recipients

    notifier = SmtpNotifier(
        smtp_conn_id=conn_id,
        to=list(addresses),
        subject=written.subject,
        html_content=written.html,
        mime_subtype="alternative",
        custom_headers={
            "Message-ID": f"<{alert_id}@customer-intelligence>",
            "References": f"<{message.incident_id}@customer-intelligence>",
            "Auto-Submitted": "auto-generated",
        },
    )
    notifier.hook = TextAndHtml(smtp_conn_id=conn_id)
    notifier.notify({})


_SENDERS: dict[str, Callable[[SourceConnection, Message], None]] = {"slack": _send_slack, "pagerduty": _send_pagerduty}
