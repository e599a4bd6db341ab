"""Stripe: the API of Stripe Billing, read-only, for one organization of the demo company.

Live keys see the company. Test keys see a sandbox with the objects that the company lacks: metered and tiered prices, prorations,
credit notes and refunds. Facts: docs.stripe.com/api, for the versions 2024-06-20 to 2026-10-28.endive.
"""

from include.demo.vendors.stripe.server import app

__all__ = ["app"]
