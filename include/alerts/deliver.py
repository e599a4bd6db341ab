"""Sends the alerts that are due. If a channel is down, the alert is retried, and then sent by another channel."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import uuid4

from include.alerts.channels import ChannelDown, NotConfigured, send
from include.alerts.outbox import Alert, Outbox
from include.alerts.routing import Routing, load_routing
from include.terms import Channel

log = logging.getLogger(__name__)


@dataclass
class DeliveryReport:
    """The result of one delivery.

    Attributes:
        sent: alerts sent by their own channel.
        substituted: alerts sent by another channel.
        postponed: alerts that are retried later.
        failed: alerts that are not retried any more.
        errors: errors that ended the delivery early.
    """

    sent: int = 0
    substituted: int = 0
    postponed: int = 0
    failed: int = 0
    errors: list[str] = field(default_factory=list)

    @property
    def message(self) -> str:
        """One line for the task's log."""
        return f"{self.sent} sent, {self.substituted} sent by another channel, {self.postponed} postponed, {self.failed} given up"


class Delivery:
    """One pass over the alerts that are due. A connection that fails is not used again in the same pass."""

    def __init__(self, outbox: Outbox, routing: Routing, now: datetime) -> None:
        self.outbox = outbox
        self.routing = routing
        self.now = now
        self.name = uuid4().hex
        self.report = DeliveryReport()
        self._down: dict[str, ChannelDown] = {}
        self._postponed: Counter[str] = Counter()

    def run(self) -> DeliveryReport:
        unsent = [(alert, down) for alert in self.outbox.claim(self.name, self.now) if (down := self._try_own(alert))]
        # Only now, because the replacement channel may have sent the same message in this pass.
        for alert, down in unsent:
            self._try_substitutes(alert, down)
        for reason, count in sorted(self._postponed.items()):
            log.warning("%d alerts are postponed: %s", count, reason)
        return self.report

    def _try_own(self, alert: Alert) -> ChannelDown | None:
        """Send an alert by its own channel. Returns the error if that fails."""
        assert alert.channel is not None and alert.recipient is not None
        connection = self.routing.connection(alert.channel, alert.recipient)
        addresses = self.routing.addresses_of([alert.recipient]) if alert.channel == "email" else []
        down = self._send(alert, alert.channel, connection, addresses)
        if down is None:
            self.outbox.mark(alert, self.name, "sent", sent_at=self.now)
            self.report.sent += 1
        return down

    def _try_substitutes(self, alert: Alert, down: ChannelDown) -> None:
        assert alert.channel is not None
        if isinstance(down, NotConfigured) or alert.attempts >= self.routing.retry.substitute_after:
            already = self.outbox.channels_sent(alert.message)
            substitutes = self.routing.channels[alert.channel].instead
            by = next((other for other in substitutes if other in already or self._sent_by(alert, other)), None)
            if by is not None:
                error = f"{down} Sent by {by} instead."
                self.outbox.mark(alert, self.name, "substituted", sent_at=self.now, error=error)
                self.report.substituted += 1
                log.warning("%s: %s is down, sent by %s instead", alert.subject, alert.channel, by)
                return
        self._postpone(alert, down)

    def _sent_by(self, alert: Alert, other: Channel) -> bool:
        owners = alert.message.owners
        connections = {self.routing.connection(other, self.routing.recipient(other, owner)) for owner in owners}
        sent = [self._send(alert, other, conn, self.routing.addresses_of(owners)) is None for conn in sorted(connections)]
        return any(sent)

    def _send(self, alert: Alert, channel: Channel, connection: str, addresses: Sequence[str]) -> ChannelDown | None:
        if connection in self._down:
            return self._down[connection]
        try:
            send(channel, connection, alert.message, alert.alert_id, addresses)
        except ChannelDown as down:
            self._down[connection] = down
            return down
        log.info("Sent by %s through %s: %s", channel, connection, alert.subject)
        return None

    def _postpone(self, alert: Alert, down: ChannelDown) -> None:
        retry = self.routing.retry
        if self.now - alert.created_at > retry.give_up_after:
            self.outbox.mark(alert, self.name, "failed", error=str(down))
            self.report.failed += 1
            log.error("Given up after %d attempts: %s", alert.attempts, alert.subject)
            return
        wait = retry.longest if isinstance(down, NotConfigured) else retry.wait(alert.attempts)
        self.outbox.mark(alert, self.name, "pending", next_attempt_at=self.now + wait, error=str(down))
        self.report.postponed += 1
        self._postponed[str(down)] += 1


def deliver(now: datetime, outbox: Outbox | None = None) -> DeliveryReport:
    """Send the alerts in `ops.alerts` that are due. Alerts that cannot be sent are retried later.

    Never raises. Errors are in the report and in the log.

    Args:
        now: the current time.
        outbox: the outbox; created if not given.
    """
    try:
        delivery = Delivery(outbox or Outbox(), load_routing(), now)
    except Exception as error:
        log.exception("Alerts cannot be delivered")
        return DeliveryReport(errors=[f"{type(error).__name__}: {error}"])
    try:
        return delivery.run()
    except Exception as error:
        # The claimed alerts are due again when their claims expire.
        log.exception("The delivery of alerts ended early")
        delivery.report.errors.append(f"{type(error).__name__}: {error}")
        return delivery.report
