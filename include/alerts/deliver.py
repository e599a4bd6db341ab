"""Sends what is due of the outbox: each alert once, later if its channel is down, and then by another."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import uuid4

from include.alerts.channels import ChannelDown, NotConfigured, send
from include.alerts.outbox import Alert, Outbox
from include.alerts.routing import Channel, Routing, load_routing

log = logging.getLogger(__name__)


@dataclass
class DeliveryReport:
    """What one delivery did: alerts sent, sent by another channel, kept for later, given up."""

    sent: int = 0
    substituted: int = 0
    kept: int = 0
    failed: int = 0
    errors: list[str] = field(default_factory=list)

    @property
    def message(self) -> str:
        """One line for the task's log."""
        return f"{self.sent} sent, {self.substituted} sent by another channel, {self.kept} kept, {self.failed} given up"


class Delivery:
    """One pass over what is due. A channel that fails is not tried again in the same pass."""

    def __init__(self, outbox: Outbox, routing: Routing, now: datetime) -> None:
        self.outbox = outbox
        self.routing = routing
        self.now = now
        self.name = uuid4().hex
        self.report = DeliveryReport()
        self._down: dict[str, ChannelDown] = {}
        self._kept: Counter[str] = Counter()

    def run(self) -> DeliveryReport:
        left = [(alert, down) for alert in self.outbox.claim(self.name, self.now) if (down := self._try_own(alert))]
        # After all others: who is told in place of a channel may have been told by then.
        for alert, down in left:
            self._try_others(alert, down)
        for what, count in sorted(self._kept.items()):
            log.warning("%d alerts are kept: %s", count, what)
        return self.report

    def _try_own(self, alert: Alert) -> ChannelDown | None:
        """Send an alert by its own channel; why not, if that failed."""
        assert alert.channel is not None and alert.recipient is not None
        connection = self.routing.connection(alert.channel, alert.recipient)
        addresses = self.routing.addresses_of([alert.recipient]) if alert.channel == "email" else []
        down = self._send(alert, alert.channel, connection, addresses)
        if down is None:
            self.outbox.mark(alert, self.name, "sent", sent_at=self.now)
            self.report.sent += 1
        return down

    def _try_others(self, alert: Alert, down: ChannelDown) -> None:
        assert alert.channel is not None
        if isinstance(down, NotConfigured) or alert.attempts >= self.routing.retry.substitute_after:
            told = self.outbox.told(alert.message)
            others = self.routing.channels[alert.channel].instead
            by = next((other for other in others if other in told or self._sent_by(alert, other)), None)
            if by is not None:
                error = f"{down} Told by {by}."
                self.outbox.mark(alert, self.name, "substituted", sent_at=self.now, error=error)
                self.report.substituted += 1
                log.warning("%s: %s is down, told by %s", alert.subject, alert.channel, by)
                return
        self._keep(alert, down)

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

    def _keep(self, alert: Alert, down: ChannelDown) -> None:
        retry = self.routing.retry
        if self.now - alert.created_at > retry.give_up_after:
            self.outbox.mark(alert, self.name, "failed", error=str(down))
            self.report.failed += 1
            log.error("Given up after %d attempts: %s", alert.attempts, alert.subject)
            return
        wait = retry.longest if isinstance(down, NotConfigured) else retry.wait(alert.attempts)
        self.outbox.mark(alert, self.name, "pending", next_attempt_at=self.now + wait, error=str(down))
        self.report.kept += 1
        self._kept[str(down)] += 1


def deliver(now: datetime, outbox: Outbox | None = None) -> DeliveryReport:
    """Send what is due of `ops.alerts`; what cannot be sent is kept and tried again later.

    Never raises: what keeps it from working at all is in the report's errors and in the log.

    Args:
        now: the instant to look at.
        outbox: the outbox; one is opened if not given.
    """
    try:
        delivery = Delivery(outbox or Outbox(), load_routing(), now)
    except Exception as error:
        log.exception("Alerts cannot be delivered")
        return DeliveryReport(errors=[f"{type(error).__name__}: {error}"])
    try:
        return delivery.run()
    except Exception as error:
        # What it had claimed is due again when the claim ends.
        log.exception("Alerts could not all be delivered")
        delivery.report.errors.append(f"{type(error).__name__}: {error}")
        return delivery.report
