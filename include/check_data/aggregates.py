# ruff: noqa: S608 - SQL holds only names and words of the contract, of the source files and of the dbt project, which are escaped.
"""SQL that finds what the raw tables of a source lack and break: each statement reads all tables of the source, and returns aggregates.

`include/check_data/landed.py` finds the same on the rows themselves, for a report with lines and examples.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from include.check_data.times import time_column
from include.check_data.words import dbt_variables, known_words
from include.contract import TENANT, Entity, contract
from include.exports.rows import with_macros
from include.sources import Source, Table
from include.sources.expressions import string
from include.sources.feeds import Feed
from include.sources.versions import deleted, expression, key_text, latest, visible

#: Words that are returned for one column, the most frequent first.
MOST_WORDS = 10
_ORGANIZATIONS, _RATES, _BASE = "organizations", "fx_rates", "USD"


def present(table: Table) -> list[str]:
    """The contract's columns that something fills, in the contract's order."""
    declared = contract()[str(table.entity)].columns
    filled = table.mapping.columns if table.mapping is not None else table.columns
    return [name for name in declared if name in filled]


def latest_rows(source: Source, table: Table, columns: Iterable[str]) -> str:
    """Columns of the latest version of each row of a raw table, as the staging view will show them, and of rows that have not happened."""
    selected = ", ".join(f"{expression(table, name)} as {name}" for name in columns)
    return with_macros(
        f"select {selected} from (select * from {source.dataset}.{table.name} where {visible(source, table)} {latest(table)}) as versions "
        f"where not {deleted(table)}"
    )


def profile(fed: Iterable[Feed]) -> str:
    """Per table: rows, keys, rows without a value by column as JSON, the first and the last time, and the rows from `@as_of` on."""
    return _union(_profile(*feed) for feed in fed)


def days(fed: Iterable[Feed]) -> str:
    """Per table of events: its days with a row as text, in order."""
    return _union(
        f"select {_named(source, table)}, string_agg(cast(happened_on as string), ',' order by happened_on) as days from ("
        f"select distinct date({column}) as happened_on from ({latest_rows(source, table, [column])}) as timed "
        f"where {column} is not null) as known"
        for source, table in fed
        if (column := _time(table)) is not None
    )


def unknown_words(fed: Iterable[Feed]) -> str:
    """Per table and column: the most frequent words that the platform does not know, and the numbers of all such words and of their rows.

    A column's words are those of `include/check_data/words.py`.
    """
    found = _union(part for source, table in fed if (part := _words(source, table)))
    if not found:
        return ""
    group = "partition by table_name, column_name"
    return (
        f"select *, count(*) over ({group}) as word_count, sum(row_count) over ({group}) as all_rows from ({found}) as words "
        f"qualify row_number() over ({group} order by row_count desc, word) <= {MOST_WORDS}"
    )


def orphans(fed: Iterable[Feed], all_feeds: Mapping[str, list[Feed]]) -> str:
    """Per table: by reference the ids that name no row of the same organization, in any source, and one of them, each as JSON.

    Args:
        all_feeds: entity → the tables of all sources that feed it.
    """
    named: set[str] = set()
    parts = []
    for source, table in fed:
        if references := _references(table):
            named.update(references.values())
            parts.append(_orphans(source, table, references))
    return (
        f"with {', '.join(_ids(entity, all_feeds.get(entity, [])) for entity in sorted(named))} {_union(parts)}" if parts else ""
    )


def without_rates(fed: Iterable[Feed], all_feeds: Mapping[str, list[Feed]]) -> str:
    """Per table and currency: the amounts of days without a rate, and the first of these days. The reporting currency needs none."""
    amounts = _union(
        f"select {_named(source, table)}, {TENANT}, upper(trim(currency)) as own, date({column}) as day "
        f"from ({latest_rows(source, table, [TENANT, 'currency', column])}) as priced where currency is not null and {column} is not null"
        for source, table in fed
        if (column := _priced(table)) is not None
    )
    if not amounts:
        return ""
    valid = dbt_variables()["fx_rate_valid_days"]
    organizations = _all(_ORGANIZATIONS, all_feeds, [TENANT, "reporting_currency"])
    rates = _all(_RATES, all_feeds, ["rate_date", "currency"])
    return f"""
        with amounts as ({amounts}),
        organizations as ({organizations}),
        rates as (select rate_date, upper(trim(currency)) as currency from ({rates}) as dated),
        needed as (
            select amounts.table_name, currency, amounts.day, count(*) as row_count
            from amounts
            left join organizations on organizations.{TENANT} = amounts.{TENANT}
            cross join unnest([amounts.own, upper(trim(organizations.reporting_currency))]) as currency
            where coalesce(amounts.own != upper(trim(organizations.reporting_currency)), true) and currency != '{_BASE}'
            group by 1, 2, 3
        ),
        without as (
            select needed.table_name, needed.currency, needed.day, any_value(needed.row_count) as row_count
            from needed
            left join rates
                on rates.currency = needed.currency
                and rates.rate_date between date_sub(needed.day, interval {valid} day) and needed.day
            group by 1, 2, 3
            having count(rates.rate_date) = 0
        )
        select table_name, currency, sum(row_count) as row_count, min(day) as first_day
        from without
        group by 1, 2
    """


def _profile(source: Source, table: Table) -> str:
    entity, columns, time = contract()[str(table.entity)], present(table), _time(table)
    empty = ", ".join(f"countif({name} is null) as {name}" for name in columns)
    instant = f"timestamp({time})" if time else "cast(null as timestamp)"
    return (
        f"select {_named(source, table)}, count(*) as row_count, count(distinct {key_text(entity.key)}) as key_count, "
        f"to_json_string(struct({empty})) as empty, min({instant}) as first_at, max({instant}) as last_at, "
        f"countif({instant} >= @as_of) as future_count from ({latest_rows(source, table, columns)}) as profiled"
    )


def _words(source: Source, table: Table) -> str:
    known = {name: words for name in present(table) if (words := known_words().get((str(table.entity), name)))}
    if not known:
        return ""
    pairs = ", ".join(f"struct('{name}' as column_name, {_compared(name, words.joins)} as word)" for name, words in known.items())
    unknown = " or ".join(
        f"(said.column_name = '{name}' and said.word not in ({', '.join(map(string, sorted(words.known)))}))"
        for name, words in known.items()
    )
    return (
        f"select {_named(source, table)}, said.column_name, said.word, count(*) as row_count "
        f"from ({latest_rows(source, table, [*known])}) as worded cross join unnest([{pairs}]) as said "
        f"where said.word != '' and ({unknown}) group by said.column_name, said.word"
    )


def _compared(name: str, joins: bool) -> str:
    word = f"lower(trim({name}))"
    return rf"regexp_replace({word}, r'[\s-]+', '_')" if joins else word


def _references(table: Table) -> dict[str, str]:
    """Column → the entity whose row its value names."""
    entity = contract()[str(table.entity)]
    return {
        name: named
        for name in present(table)
        if (named := entity.columns[name].id_of) is not None and not (named == table.entity and name in entity.key)
    }


def _orphans(source: Source, table: Table, references: Mapping[str, str]) -> str:
    needed = dict.fromkeys([*([TENANT] if TENANT in contract()[str(table.entity)].columns else []), *references])
    joins, counts, examples = [], [], []
    for column, named in references.items():
        same = [] if named == _ORGANIZATIONS else [f"of_{column}.{TENANT} = referring.{TENANT}"]
        joins.append(f"left join {named}_ids as of_{column} on {' and '.join([f'of_{column}.id = referring.{column}', *same])}")
        counts.append(f"countif(of_{column}.id is null and referring.{column} is not null) as {column}")
        examples.append(f"min(if(of_{column}.id is null, referring.{column}, null)) as {column}")
    return (
        f"select {_named(source, table)}, to_json_string(struct({', '.join(counts)})) as counts, "
        f"to_json_string(struct({', '.join(examples)})) as examples "
        f"from ({latest_rows(source, table, needed)}) as referring {' '.join(joins)}"
    )


def _ids(entity: str, fed: Iterable[Feed]) -> str:
    """A CTE with the ids of an entity, and the organization of each."""
    key = contract()[entity].key
    selected = f"{key[-1]} as id" if len(key) == 1 else f"{TENANT}, {key[-1]} as id"
    parts = [f"select {selected} from ({latest_rows(source, table, key)}) as identified" for source, table in fed]
    columns = "cast(null as string) as id" if len(key) == 1 else f"cast(null as string) as {TENANT}, cast(null as string) as id"
    nothing = f"select {columns} from (select 1) where false"
    return f"{entity}_ids as (select distinct * from ({' union all '.join(parts) or nothing}) as united)"


def _all(entity: str, all_feeds: Mapping[str, list[Feed]], columns: list[str]) -> str:
    """Columns of an entity from all sources."""
    types = contract()[entity].columns
    parts = [latest_rows(source, table, columns) for source, table in all_feeds.get(entity, [])]
    kinds = {"string": "string", "date": "date"}
    nothing = ", ".join(f"cast(null as {kinds[types[name].type]}) as {name}" for name in columns)
    return " union all ".join(parts) or f"select {nothing} from (select 1) where false"


def _named(source: Source, table: Table) -> str:
    return f"'{source.dataset}.{table.name}' as table_name"


def _time(table: Table) -> str | None:
    """The column that says when a row happened, if the table is one of events and has it."""
    column = time_column(contract()[str(table.entity)])
    return column if column in present(table) else None


def _priced(table: Table) -> str | None:
    """The column of the day at whose rate an amount of the table is converted, if the table has amounts in a currency."""
    entity: Entity = contract()[str(table.entity)]
    column = "started_at" if "started_at" in entity.columns else time_column(entity)
    return column if table.entity != _RATES and column is not None and {"currency", column} <= set(present(table)) else None


def _union(parts: Iterable[str]) -> str:
    return "\nunion all\n".join(parts)
