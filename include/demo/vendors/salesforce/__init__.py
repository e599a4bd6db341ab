"""Salesforce's REST API and Bulk API 2.0 over one organization of the demo company, with several currencies.

It has accounts, contacts, users, leads, opportunities with their stage history, tasks and events, products with prices, orders with items,
cases with milestones and the history of their priority, facilities as a custom object, holidays, and the organization. What it cannot say:

- Each record has an owner. What no employee owns belongs to the user of type AutomatedProcess.
- Each opportunity has a close date. Where sales wrote none, it is 90 days from the creation.
- The stage before the first known change of an opportunity.
- Whether a milestone is violated is yes or no, although the help desk sometimes has not decided.
- An erased contact is gone without a trace. Other deleted records are in the recycle bin, which queryAll reads.
"""

from include.demo.vendors.salesforce.gate import CLIENT_ID, client_secret
from include.demo.vendors.salesforce.ids import record_id
from include.demo.vendors.salesforce.server import app

__all__ = ["CLIENT_ID", "app", "client_secret", "record_id"]
