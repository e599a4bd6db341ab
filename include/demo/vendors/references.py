"""References between a vendor's objects: a vendor's database has no id of an object that does not exist."""

from __future__ import annotations

from dataclasses import replace

from include.contract import contract
from include.demo.schema import TABLES
from include.demo.vendors.common import Account, Row


def consistent(account: Account) -> Account:
    """The account as a vendor has it: what belonged to an account that lost a merge belongs to the survivor; no id leads nowhere.

    An id of an object that the account lacks becomes None. A row that cannot exist without the object is left out.
    """
    before = None if account.before is None else consistent(account.before)
    survivors = {row["account_id"]: row["merged_into_account_id"] for row in account.tables["accounts"]}
    ids = {
        table.id: {row[table.id] for rows in (account.tables[name], account.gone.get(name, [])) for row in rows}
        for name, table in TABLES.items()
        if table.by_name[table.id].type == "string"
    }

    def resolved(name: str, rows: list[Row]) -> list[Row]:
        result = []
        columns = [
            (column, TABLES[declared.id_of].id, declared.required)
            for column, declared in contract()[name].columns.items()
            if declared.id_of in TABLES and column != TABLES[name].id and not column.startswith("merged_into_")
        ]
        for row in rows:
            found = dict(row)
            for column, target, _ in columns:
                key = row[column]
                while target == "account_id" and survivors.get(key):
                    key = survivors[key]
                found[column] = key if key in ids[target] else None
            if all(found[column] is not None for column, _, required in columns if required):
                result.append(found)
        return result

    return replace(account, tables={name: resolved(name, rows) for name, rows in account.tables.items()}, before=before)
