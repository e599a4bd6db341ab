"""HubSpot's CRM API, v3 and v4 and by its date version, over one organization of the demo company.

The account has companies, contacts, owners, deals with the history of their stages, leads, activities, products, orders with line items,
tickets, answered surveys and, as a custom object, facilities. HubSpot has no place for the other tables. What it cannot say:

- A company or ticket that lost a merge is gone; the survivor's `hs_merged_object_ids` names it.
- An erased contact is gone without a trace. Other deleted objects are in the recycle bin (`archived=true`).
- The stage before the first known change of a deal.
- When a survey was sent, and which surveys have no answer.
"""

from include.demo.vendors.hubspot.gate import token
from include.demo.vendors.hubspot.server import app
from include.demo.vendors.hubspot.shape import object_id

__all__ = ["app", "object_id", "token"]
