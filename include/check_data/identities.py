# ruff: noqa: S608 - SQL holds only names of the contract and of the source files, and models of the dbt project.
"""How the accounts of several systems would be matched: the dbt models that match them, on rows that no run has read yet.

The models are `dim_account_identity` and those that it reads. Docs: docs/identity.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any

from include.check_data.aggregates import latest_rows
from include.check_data.words import dbt_variables
from include.contract import contract
from include.csv_data import Rows
from include.exports.rows import in_duckdb
from include.settings import settings
from include.sources.expressions import WAREHOUSE_TYPES
from include.sources.feeds import Feed
from include.warehouse import rows

if TYPE_CHECKING:
    from google.cloud.bigquery import Client

#: The entities that the models read.
READ = ("accounts", "contacts", "account_identifiers", "account_map")
#: The decisions of `make identity`, in the warehouse.
DECISIONS = "ops.account_decisions"
#: Rows like those of `DECISIONS`, if there are none.
NO_DECISIONS = """
    select
        cast(null as string) as organization_id, cast(null as string) as account_id, cast(null as string) as other_account_id,
        cast(null as bool) as is_same, cast(null as string) as decided_by, cast(null as timestamp) as decided_at
    from (select 1)
    where false
"""
_MODELS = (*(f"conformed_{entity}" for entity in READ), "int_accounts__identifiers", "dim_account_identity")
_SYSTEMS = "account_systems"
_MACROS = ("generate_surrogate_key", "identity", "staging")
_LINEAGE = {"_extracted_at": "timestamp", "_loaded_at": "timestamp", "_batch_id": "string"}


@dataclass(frozen=True)
class Identities:
    """Accounts of one system that are matched in one way.

    Attributes:
        system: the source that has the accounts. Those of the first system of an organization are matched to none.
        status: declared, matched, suggested, ambiguous or unmatched.
        rule: the rule that decided; None if no rule found an account.
        count: the number of accounts.
        example: one of them.
    """

    system: str
    status: str
    rule: str | None
    count: int
    example: str

    @property
    def message(self) -> str:
        by = f" by {self.rule}" if self.rule else ""
        return f"{self.count:,} accounts of {self.system} are {self.status}{by}, such as {self.example}"


def statement(given: Mapping[str, Sequence[str]], systems: Sequence[str], decisions: str = DECISIONS) -> str:
    """A query of the matches of accounts, in BigQuery's SQL: a row per system, status and rule.

    Args:
        given: entity → queries of its rows, each with the contract's columns and `source_system`.
        systems: the systems in the order in which accounts are matched to them, as in the var `account_systems`.
        decisions: a table or a query in brackets with the columns of `ops.account_decisions`.
    """
    inputs = [f"given_{entity} as ({_united(entity, given.get(entity, ()))})" for entity in READ]
    inputs.append(f"given_decisions as (select * from {decisions} as decisions)")
    models = [f"{name} as ({_model(name, tuple(systems))})" for name in _MODELS]
    return f"""
        with {", ".join([*inputs, *models])}
        select source_system, identity_status, rule, count(*) as row_count, min(account_id) as example
        from dim_account_identity
        group by 1, 2, 3
        order by 1, 4 desc, 2, 3
    """


def identities(found: Iterable[Mapping[str, Any]]) -> list[Identities]:
    """The rows of `statement`."""
    return [
        Identities(row["source_system"], row["identity_status"], row["rule"], row["row_count"], row["example"]) for row in found
    ]


def matched(all_feeds: Mapping[str, list[Feed]], as_of: datetime, client: Client | None = None) -> list[Identities]:
    """The matches of the accounts in the raw tables. Empty if only one system has accounts.

    Args:
        all_feeds: entity → the tables of all sources that feed it.
        as_of: rows that the run of this time sees count.

    Raises:
        google.api_core.exceptions.GoogleAPICallError: a table cannot be read.
    """
    if len({source.name for source, _ in all_feeds.get("accounts", [])}) < 2:
        return []
    given = {
        entity: [
            f"select '{source.name}' as source_system, * from ({latest_rows(source, table, contract()[entity].columns)}) as latest"
            for source, table in all_feeds.get(entity, [])
        ]
        for entity in READ
    }
    return identities(rows(statement(given, dbt_variables()[_SYSTEMS]), {"as_of": as_of}, client, tool="input-report"))


def compared(systems: Mapping[str, Sequence[tuple[str, Rows]]]) -> list[Identities]:
    """The matches of the accounts in exported files. Empty if only one system has accounts.

    Args:
        systems: entity → each system that has rows of it, with these rows.
    """
    import duckdb

    named = dict.fromkeys(name for name, _ in systems.get("accounts", ()))
    if len(named) < 2:
        return []
    connection = duckdb.connect()
    given: dict[str, list[str]] = {}
    for entity in READ:
        key = ", ".join(contract()[entity].key)
        for number, (name, found) in enumerate(systems.get(entity, ())):
            connection.register(f"{entity}_{number}", found.data.select(list(contract()[entity].columns)))
            # A file may hold several versions of a row.
            latest = f"qualify row_number() over (partition by {key} order by updated_at desc) = 1"
            given.setdefault(entity, []).append(f"select '{name}' as source_system, * from {entity}_{number} where true {latest}")
    known = dbt_variables()[_SYSTEMS]
    ranked = [*known, *(name for name in named if name not in known)]
    sql = in_duckdb(without_limits(statement(given, ranked, f"({NO_DECISIONS})")))
    cursor = connection.execute(sql)
    names = [column[0] for column in cursor.description]
    return identities(dict(zip(names, row, strict=True)) for row in cursor.fetchall())


def _united(entity: str, queries: Sequence[str]) -> str:
    columns = {name: WAREHOUSE_TYPES[declared.type] for name, declared in contract()[entity].columns.items()}
    names = ", ".join(["source_system", *columns])
    lineage = ", ".join(f"cast(null as {kind}) as {name}" for name, kind in _LINEAGE.items())
    nothing = ", ".join(f"cast(null as {kind}) as {name}" for name, kind in ({"source_system": "string"} | columns).items())
    rows = " union all ".join(f"select {names} from ({query}) as rows_of_one" for query in queries)
    return f"select *, {lineage} from ({rows or f'select {nothing} from (select 1) where false'}) as united"


@cache
def _model(name: str, systems: tuple[str, ...]) -> str:
    """The SQL of a model, in which the models that it reads stand under their own names."""
    from jinja2 import Environment

    variables = {**dbt_variables(), _SYSTEMS: systems}
    dbt = settings().dbt_dir
    macros = "".join((dbt / "macros" / f"{each}.sql").read_text(encoding="utf-8") for each in _MACROS)
    (path,) = (dbt / "models").rglob(f"{name}.sql")
    # The statement becomes text of the database, never of a page.
    environment = Environment(autoescape=False, extensions=["jinja2.ext.do"])
    return environment.from_string(macros + path.read_text(encoding="utf-8")).render(
        config=lambda **_: "",
        ref=lambda model: model,
        source=lambda *_: "given_decisions",
        unite=lambda entity: f"select * from given_{entity}",
        var=variables.__getitem__,
    )


def without_limits(sql: str) -> str:
    """A statement of `statement` for DuckDB's translator: DuckDB joins texts without a limit. The result does not show these texts."""
    from sqlglot import exp, parse_one

    tree = parse_one(sql, read="bigquery")
    for joined in tree.find_all(exp.GroupConcat):
        for limit in joined.find_all(exp.Limit):
            limit.replace(limit.this)
    return str(tree.sql(dialect="bigquery"))
