"""Accounts of several systems that are one customer: what is unmatched, and people's decisions."""

from include.identity.decisions import DECISIONS, IdentityError, decide
from include.identity.page import open_accounts, open_table, write_page

__all__ = ["DECISIONS", "IdentityError", "decide", "open_accounts", "open_table", "write_page"]
