"""`make identity`: accounts without a match, and decisions on them, on the local warehouse."""

from __future__ import annotations

from rich.console import Console

from include.local.errors import StackError
from include.local.home import only_one
from include.local.months import user_name
from include.local.stack import last_warehouse


def show_identity(console: Console, organization: str) -> None:
    """Print the accounts without a match, and write their page.

    Raises:
        StackError: as `last_warehouse`.
    """
    from include.identity import open_accounts, open_table, write_page

    with last_warehouse():
        found = open_accounts(organization or None)
        console.print(open_table(found) if found else "Every account is matched, or the company has one system.", highlight=False)
        console.print(f"As a page: {write_page()}", highlight=False, soft_wrap=True)


def decide_identity(decision: str, pair: str, organization: str, by: str) -> str:
    """Record a decision on two accounts.

    Args:
        decision: same, different or withdraw.
        pair: two account ids, separated by a space.
        organization: their tenant; empty if only one has both.
        by: who decides; empty for the user of this machine.

    Returns:
        A sentence that says what counts now.

    Raises:
        StackError: it is refused, or as `last_warehouse`.
    """
    from include.identity import IdentityError, decide

    account, _, other = pair.strip().partition(" ")
    if not other or " " in other.strip():
        raise StackError(f'Name two accounts, separated by a space: make identity SAME="cus_1 acc_1". This is {pair!r}.')
    with only_one("identity"), last_warehouse():
        try:
            return decide(decision, account, other.strip(), by=by or user_name(), organization=organization or None)
        except IdentityError as error:
            raise StackError(str(error)) from error
