"""Zendesk Support: the API, read-only, for one organization of the demo company.

Facts: developer.zendesk.com/api-reference/ticketing, as of November 2026. The company's keys are the external ids of Zendesk's objects.
Beside the company, an account has four tickets, a user and an organization that are deleted, restored, merged or scrubbed.
"""

from include.demo.vendors.zendesk.server import app

__all__ = ["app"]
