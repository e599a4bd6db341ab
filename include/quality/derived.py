# ruff: noqa: S608 - SQL is put together from names and rules of the platform's own, never from data.
"""The rules that follow from the contract and the sources' YAML: the raw gates, and rules of conformed and core."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

from include.contract import TENANT, ContractColumn, contract
from include.quality.clean_views import clean_view
from include.quality.loader_rules import OF_EVERY_SOURCE, landed_rules
from include.quality.rules import Gate, Rule
from include.settings import settings
from include.sources import Column, Source, Table, load_sources
from include.sources.expressions import identifier
from include.sources.feeds import Feed, feeds
from include.sources.versions import deleted, expression, happened, latest, visible

#: Columns that a load adds to every raw table.
LOAD_COLUMNS = ("_extracted_at", "_loaded_at", "_batch_id", "_source_file_id", "_is_deleted", "_restored_at")


def raw_gate(source: Source) -> Gate:
    """The gate of a source's raw tables. It checks that a load is complete, with the agreed columns, keys and the usual volume."""
    if source.reader.type != "landed":
        return Gate(gate=source.dataset, rules=(*_load_rules(source), *_table_rules(source)))
    shared = [rule for rule in _load_rules(source) if rule.name in OF_EVERY_SOURCE]
    return Gate(gate=source.dataset, rules=(*shared, *landed_rules(source), *_table_rules(source)))


def conformed_rules(sources: Mapping[str, Source]) -> list[Rule]:
    """The rules of the gate `conformed` that follow from the contract and the sources.

    Rows belong to known organizations and have happened; categories are accepted values.
    """
    rules = []
    fed = _conformed(sources)
    tenants = [
        f"select '{view}' as relation, organization_id, count(*) as row_count from conformed.{view} group by 2"
        for view, found in fed.items()
        if "account_id" in _columns(view, found)
    ]
    if tenants:
        rules.append(
            Rule(
                name="rows_of_known_organizations",
                relation="conformed.conformed_organizations",
                action="block",
                reason="Every row belongs to a tenant; rows of an unknown one would vanish from every figure.",
                key=("relation", "organization_id", "row_count"),
                rows=_union(
                    tenants,
                    "select * from ({union}) as united where not exists (select 1 from conformed.conformed_organizations "
                    "as known where known.organization_id = united.organization_id)",
                ),
            )
        )
    ahead = [
        f"select '{source.name}.{table.name}' as table_name, {_tenant(table)} as organization_id, count(*) as row_count from ("
        f"select * from {source.dataset}.{table.name} where {visible(source, table)} {latest(table)}) as versions "
        f"where not {deleted(table)} and not {happened(table)} group by 2"
        for found in fed.values()
        for source, table in found
        if table.happens_at
    ]
    if ahead:
        rules.append(
            Rule(
                name="rows_have_happened",
                relation="conformed.conformed_organizations",
                action="warn",
                reason="Rows report an event at or after the as-of time. The run does not see them, and no figure counts them.",
                key=("table_name", "organization_id", "row_count"),
                rows=_union(ahead, "{union}"),
            )
        )
    for view, found in fed.items():
        checks = [
            f"{name} not in ({', '.join(map(_literal, column.accepted_values))})"
            for name, column in _columns(view, found).items()
            if column.accepted_values
        ]
        if checks:
            rules.append(
                Rule(
                    name=f"known_categories_of_{_entity(view)}",
                    relation=f"conformed.{view}",
                    action="warn",
                    reason="The category is not an accepted value of the contract. Figures show it as it came, or as unknown where its meaning decides.",
                    key=_key(view, found),
                    rows=f"select * from conformed.{view}\nwhere " + "\n    or ".join(checks),
                )
            )
    return rules


def core_rules(sources: Mapping[str, Source], quarantined: Collection[str]) -> list[Rule]:
    """The rule of the gate `core` that no key is lost between raw and core: each is conformed or deleted.

    Args:
        sources: the sources by name.
        quarantined: the conformed views with a `quarantine` rule. Core reads their clean views; their other rows are in quarantine.
    """
    parts = [_key_balance(view, found, view in quarantined) for view, found in _conformed(sources).items()]
    if not parts:
        return []
    return [
        Rule(
            name="raw_keys_are_conformed",
            relation="ops.reconciliation",
            action="block",
            reason="Raw keys = rows that core reads + quarantined + deleted + not yet happened; a difference is a row lost or doubled.",
            key=("part",),
            reconcile="\nunion all\n".join(parts),
        )
    ]


def _load_rules(source: Source) -> Iterator[Rule]:
    names = ", ".join(_literal(name) for name in source.tables)
    yield Rule(
        name="every_table_arrived",
        relation="ops.loads",
        action="block",
        reason="The run is incomplete without the table: figures would mix the data of two days.",
        key=("table_name",),
        rows=(
            f"select table_name from unnest([{names}]) as table_name\n"
            "where table_name not in (select loads.table_name from ops.loads as loads where loads.batch_id = @batch_id)"
        ),
    )
    yield Rule(
        name="load_is_complete",
        relation="ops.loads",
        action="block",
        reason="Raw has as many rows of the load as the load has reported.",
        key=("part",),
        reconcile="\nunion all\n".join(_loaded_against_reported(source, table) for table in source.tables.values()),
    )
    yield Rule(
        name="few_records_rejected",
        relation="ops.loads",
        action="block",
        reason="More than a twentieth of the records could not be read: the source's format has changed.",
        key=("table_name", "rows_rejected"),
        rows=(
            "select * from ops.loads\n"
            "where batch_id = @batch_id and rows_rejected > 0.05 * (rows_loaded + rows_rejected) and rows_rejected > 10"
        ),
    )
    yield Rule(
        name="records_are_readable",
        relation="ops.loads",
        action="warn",
        reason="Records could not be read; see quarantine.rejected_records.",
        key=("table_name", "rows_rejected"),
        rows="select * from ops.loads where batch_id = @batch_id and rows_rejected > 0",
    )
    yield Rule(
        name="volume_as_usual",
        relation="ops.loads",
        action="warn",
        reason="Less than a fifth or more than five times the median of the last nightly runs.",
        key=("table_name", "rows_loaded", "usual"),
        rows=_VOLUME.format(source=_literal(source.name)),
    )
    allowed = settings().empty_tables.split(",")
    needed = [t.name for t in source.tables.values() if not (t.may_be_empty or t.name in allowed)]
    if source.tier == "critical" and needed:
        yield Rule(
            name="whole_reads_have_rows",
            relation="ops.loads",
            action="block",
            reason="The whole table was read, and the source sent no row. If it may be empty, set may_be_empty in the source's YAML.",
            key=("table_name",),
            rows=(
                "select * from ops.loads\n"
                f"where batch_id = @batch_id and is_whole and rows_read = 0 and table_name in ({', '.join(map(_literal, needed))})"
            ),
        )
    yield Rule(
        name="whole_reads_as_usual",
        relation="ops.loads",
        action="block" if source.tier == "critical" else "warn",
        reason=f"The source sent over {source.max_volume_drop:.0%} fewer rows than the median of the last whole reads.",
        key=("table_name", "rows_read", "usual"),
        rows=_WHOLE_READS.format(source=_literal(source.name), least=1 - source.max_volume_drop),
    )
    yield Rule(
        name="cursor_finds_rows",
        relation="ops.loads",
        action="warn",
        reason="The cursor had missed rows. They were found by a comparison of keys and are loaded; tables without it may lack such rows.",
        key=("table_name", "rows_recovered"),
        rows="select * from ops.loads where batch_id = @batch_id and rows_recovered > 0",
    )
    yield Rule(
        name="schema_as_agreed",
        relation="ops.schema_changes",
        action="warn",
        reason="A column that the source's YAML reads or declares is missing or of another type, or the source sent one that a table without "
        "mapping does not declare. No value was lost: see ops.schema_changes.",
        key=("table_name", "column_name", "change"),
        rows=f"select * from ops.schema_changes where batch_id = @batch_id and {_agreed(source)}",
    )


def _agreed(source: Source) -> str:
    """The condition that a change concerns what was agreed. A mapping reads the columns that it names; a system may add others."""
    mapped = {name: table for name, table in source.tables.items() if table.mapping is not None}
    read = [
        f"(table_name = {_literal(name)} and column_name in ({', '.join(map(_literal, table.columns))}))"
        for name, table in mapped.items()
    ]
    if not mapped:
        return "true"
    return f"(table_name not in ({', '.join(map(_literal, mapped))}) or {' or '.join(read)})"


# Nightly runs are compared with nightly runs, because what a refresh loads depends on the hour. The first load of a table is its whole
# history, so it does not count.
_VOLUME = """\
with nightly_loads as (
    select
        table_name,
        batch_id,
        rows_loaded,
        row_number() over (partition by table_name order by loaded_at) as load_number,
        row_number() over (partition by table_name order by loaded_at desc) as age
    from ops.loads
    where source = {source} and ends_with(batch_id, 'T000000Z')
),
earlier as (
    select distinct
        table_name,
        percentile_cont(rows_loaded, 0.5) over (partition by table_name) as usual,
        count(*) over (partition by table_name) as load_count
    from nightly_loads
    where load_number > 1 and age <= 29 and batch_id != @batch_id
)
select checked.table_name, checked.rows_loaded, earlier.usual
from nightly_loads as checked
inner join earlier on checked.table_name = earlier.table_name
where
    checked.batch_id = @batch_id
    and earlier.load_count >= 5
    and (checked.rows_loaded > 5 * earlier.usual + 100 or 5 * checked.rows_loaded + 100 < earlier.usual)"""


# A read for an earlier as-of time finds fewer rows, so only reads up to this as-of time count.
_WHOLE_READS = """\
with whole_reads as (
    select
        table_name,
        batch_id,
        rows_read,
        row_number() over (partition by table_name order by batch_id desc) as age
    from ops.loads
    where source = {source} and is_whole and batch_id <= @batch_id
),
earlier as (
    select distinct
        table_name,
        percentile_cont(rows_read, 0.5) over (partition by table_name) as usual,
        count(*) over (partition by table_name) as read_count
    from whole_reads
    where age <= 29 and batch_id != @batch_id
)
select checked.table_name, checked.rows_read, earlier.usual
from whole_reads as checked
inner join earlier on checked.table_name = earlier.table_name
where
    checked.batch_id = @batch_id
    and earlier.read_count >= 3
    and checked.rows_read + 100 < {least:.4f} * earlier.usual"""


def _loaded_against_reported(source: Source, table: Table) -> str:
    """SQL that compares the rows in raw with the rows in `ops.loads`.

    A repeated load has the same batch and replaces its record, so only its rows count.
    """
    reported = f"from ops.loads where batch_id = @batch_id and table_name = {_literal(table.name)}"
    return (
        f"select {_literal(table.name)} as part, "
        f"(select count(*) from {source.dataset}.{table.name} where _batch_id = @batch_id "
        f"and _loaded_at in (select loaded_at {reported})) as left_value, "
        f"(select coalesce(sum(rows_loaded + rows_deleted), 0) {reported}) as right_value, "
        "cast(null as int64) as row_count"
    )


def _table_rules(source: Source) -> Iterator[Rule]:
    for table in source.tables.values():
        relation = f"{source.dataset}.{table.name}"
        yield Rule(
            name=f"columns_as_agreed_in_{table.name}",
            relation=relation,
            action="block",
            reason="Staging reads these columns; see the source's YAML.",
            expect={
                "type": "expect_table_columns_to_match_set",
                "column_set": [*table.columns, *LOAD_COLUMNS],
                "exact_match": False,
            },
        )
        missing = [f"{identifier(column)} is null" for column in table.primary_key]
        # A loader's rows are of no batch of the platform's: all of them are checked.
        of_load = "" if source.reader.type == "landed" else "_batch_id = @batch_id and "
        yield Rule(
            name=f"keys_present_in_{table.name}",
            relation=relation,
            action="block",
            reason="A row without its key, which names its tenant, can be neither updated nor counted.",
            rows=f"select * from {relation}\nwhere {of_load}({' or '.join(missing)})",
        )


def _key_balance(view: str, found: Sequence[Feed], quarantined: bool) -> str:
    """SQL that compares the distinct raw keys that the run sees with the keys that core reads, that are deleted or in quarantine.

    A key is deleted if its latest version is a tombstone. A key is ahead if its latest version has not happened before the run.
    """
    versions = "\nunion all\n".join(
        f"select {deleted(table)} as is_deleted, {happened(table)} as has_happened from {source.dataset}.{table.name} "
        f"where {visible(source, table)} {latest(table)}"
        for source, table in found
    )
    keys = (
        "(select count(*) as all_keys, countif(is_deleted) as deleted, countif(not is_deleted and not has_happened) as ahead "
        f"from ({versions}))"
    )
    rows = f"(select count(*) from conformed.{view})"
    if quarantined:
        in_quarantine = f"(select count(distinct row_key) from quarantine.quarantined_rows where relation = {_literal(view)})"
        rows = f"(select count(*) from core.{clean_view(view)}) + {in_quarantine}"
    return (
        f"select {_literal(view)} as part, keys.all_keys as left_value, keys.deleted + keys.ahead + {rows} as right_value, "
        f"cast(null as int64) as row_count from {keys} as keys"
    )


def _conformed(sources: Mapping[str, Source]) -> dict[str, list[Feed]]:
    """Each conformed view with the tables that feed it. A source may be loaded before it has models.

    A view that other tables feed too is left out: a run that does not load them cannot judge its rows.
    """
    folder: Path = settings().dbt_dir / "models" / "conformed"
    modelled = {path.stem for path in folder.glob("*/*.sql")}
    whole = feeds(load_sources())
    return {
        view: found
        for entity, found in feeds(sources).items()
        if (view := f"conformed_{entity}") in modelled and _names(whole.get(entity, ())) <= _names(found)
    }


def _names(found: Sequence[Feed]) -> set[tuple[str, str]]:
    return {(source.name, table.name) for source, table in found}


def _columns(view: str, found: Sequence[Feed]) -> Mapping[str, ContractColumn | Column]:
    """The columns of the entity that a conformed view shows. A table that is no entity of the contract declares its own."""
    entity = contract().get(_entity(view))
    return found[0][1].columns if entity is None else entity.columns


def _key(view: str, found: Sequence[Feed]) -> tuple[str, ...]:
    entity = contract().get(_entity(view))
    return found[0][1].primary_key if entity is None else entity.key


def _tenant(table: Table) -> str:
    return expression(table, TENANT) if table.entity else TENANT


def _entity(view: str) -> str:
    return view.removeprefix("conformed_")


def _union(parts: list[str], template: str) -> str:
    return template.format(union="\nunion all\n".join(parts))


def _literal(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
