"""Alerts: group events into incidents, and send one message per incident and route. See docs/alerts.md."""

from __future__ import annotations

from include.alerts.deliver import DeliveryReport, deliver
from include.alerts.notify import notify, notify_failure, notify_gate, notify_late_run
from include.alerts.outbox import Outbox
from include.alerts.routing import Routing, RoutingError, load_routing

__all__ = [
    "DeliveryReport",
    "Outbox",
    "Routing",
    "RoutingError",
    "deliver",
    "load_routing",
    "notify",
    "notify_failure",
    "notify_gate",
    "notify_late_run",
]
