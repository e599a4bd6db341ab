"""Sends one message through one of Airflow's notifiers.

The notifier's `notify` is called directly. Calling the notifier itself would render the message as a template and hide errors.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Any

from include.alerts.occurrence import Message, plain, without_addresses
from include.alerts.render import mail, pagerduty_event, slack_blocks, slack_text
from include.sources import ConnectionMissing, SourceConnection
from include.terms import Channel

log = logging.getLogger(__name__)

#: Seconds to wait for an answer of Slack or PagerDuty.
TIMEOUT = 15


class ChannelDown(Exception):
    """The message could not be sent. The text gives the reason, without secrets."""


class NotConfigured(ChannelDown):
    """The channel has no Airflow connection, as on a laptop."""


def send(channel: Channel, conn_id: str, message: Message, alert_id: str, addresses: Sequence[str]) -> None:
    """Send one message.

    Args:
        channel: slack, email or pagerduty.
        conn_id: the Airflow connection.
        message: the message.
        alert_id: the alert's id. It becomes the Message-ID of an e-mail, so that mail programs recognize a duplicate.
        addresses: the recipients of an e-mail.

    Raises:
        NotConfigured: the connection does not exist.
        ChannelDown: the message was not accepted.
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
        text = f"{type(error).__name__}: {error}"
        # The secret of a webhook is its whole URL, or the last part of it.
        for secret in {connection.secret, connection.secret.rpartition("/")[2]}:
            text = text.replace(secret, "***") if len(secret) > 3 else text
        raise ChannelDown(plain(without_addresses(text))) from None


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
    """Use the notifier's asynchronous hook: only that one accepts a base URL, which differs by region and in tests."""
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

    content = mail(message)

    class TextAndHtml(SmtpHook):  # type: ignore[misc]
        """Adds a plain-text part, because Airflow sends HTML only."""

        def _build_mime_message(self, *args: Any, **kwargs: Any) -> Any:
            mime, recipients = super()._build_mime_message(*args, **kwargs)
            mime.set_payload([MIMEText(content.text, "plain", "utf-8"), *mime.get_payload()])
            return mime, recipients

    notifier = SmtpNotifier(
        smtp_conn_id=conn_id,
        to=list(addresses),
        subject=content.subject,
        html_content=content.html,
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
