"""Local servers that behave like the APIs of vendors. Each serves one organization of the demo company as one account of the vendor.

A vendor is a subpackage with a function `app(account, faults)`, which returns the vendor's Starlette application.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from include.demo.vendors.common import Account, Faults

if TYPE_CHECKING:
    from starlette.applications import Starlette

VENDORS = ("hubspot", "salesforce", "stripe", "zendesk")


def vendor_app(vendor: str, account: Account, faults: Faults | None = None, control: bool = True) -> Starlette:
    """The application of a vendor. With `faults`, it also has the control endpoint `/_faults`, unless `control` is false."""
    app: Starlette = import_module(f"{__name__}.{vendor}").app(account, faults or Faults())
    if faults is not None and control:
        faults.control(app)
    return app
