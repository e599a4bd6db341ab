# ruff: noqa: S608 - SQL is put together from names and rules of the platform's own, never from data.
"""The rules that follow from the sources' YAML: the raw gates, and the rules of staging and core that every source gets."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from include.quality.clean_views import clean_view
from include.quality.rules import Gate, Rule
from include.settings import settings
from include.sources import Source, Table
from include.sources.versions import happened, latest, visible

#: Columns that a load adds to every raw table.
LOAD_COLUMNS = ("_extracted_at", "_loaded_at", "_batch_id", "_source_file_id", "_is_deleted", "_restored_at")


def raw_gate(source: Source) -> Gate:
    """The gate of a source's raw tables. It checks that a load is complete, with the agreed columns, keys and the usual volume."""
    return Gate(gate=source.dataset, rules=(*_load_rules(source), *_table_rules(source)))


def staging_rules(sources: Mapping[str, Source]) -> list[Rule]:
    """The rules of the gate `staging` that follow from the sources: rows belong to known organizations, categories are accepted values."""
    rules = []
    tenants = [
        f"select '{view}' as relation, organization_id, count(*) as row_count from staging.{view} group by 2"
        for view, _, table in _staged(sources)
        if "account_id" in table.columns
    ]
    if tenants:
        rules.append(
            Rule(
                name="rows_of_known_organizations",
                relation="staging.stg_crm__organizations",
                action="block",
                reason="Every row belongs to a tenant; rows of an unknown one would vanish from every figure.",
                key=("relation", "organization_id", "row_count"),
                rows=_union(
                    tenants,
                    "select * from ({union}) as staged where not exists (select 1 from staging.stg_crm__organizations "
                    "as known where known.organization_id = staged.organization_id)",
                ),
            )
        )
    ahead = [
        f"select '{source.name}.{table.name}' as table_name, organization_id, count(*) as row_count from ("
        f"select * from {source.dataset}.{table.name} where {visible(source, table)} {latest(table)}) as versions "
        f"where not _is_deleted and not {happened(table)} group by 2"
        for _, source, table in _staged(sources)
        if table.happens_at
    ]
    if ahead:
        rules.append(
            Rule(
                name="rows_have_happened",
                relation="staging.stg_crm__organizations",
                action="warn",
                reason="Rows report an event at or after the as-of time. The run does not see them, and no figure counts them.",
                key=("table_name", "organization_id", "row_count"),
                rows=_union(ahead, "{union}"),
            )
        )
    for view, _, table in _staged(sources):
        checks = [
            f"{column.name} not in ({', '.join(map(_literal, column.accepted_values))})"
            for column in table.columns.values()
            if column.accepted_values
        ]
        if checks:
            rules.append(
                Rule(
                    name=f"known_categories_of_{view.removeprefix('stg_')}",
                    relation=f"staging.{view}",
                    action="warn",
                    reason="The category is not an accepted value of the source's YAML. Figures show it as it came, or as unknown where its meaning decides.",
                    key=table.primary_key,
                    rows=f"select * from staging.{view}\nwhere " + "\n    or ".join(checks),
                )
            )
    return rules


def core_rules(sources: Mapping[str, Source], quarantined: Collection[str]) -> list[Rule]:
    """The rule of the gate `core` that no key is lost between raw and core: each is staged or deleted.

    Args:
        sources: the sources by name.
        quarantined: the staging views with a `quarantine` rule. Core reads their clean views; their other rows are in quarantine.
    """
    parts = [_key_balance(view, source, table, view in quarantined) for view, source, table in _staged(sources)]
    if not parts:
        return []
    return [
        Rule(
            name="raw_keys_are_staged",
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
        name="landing_is_complete",
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
    needed = [t.name for t in source.tables.values() if not (t.absent or t.may_be_empty or t.name in allowed)]
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
        reason="The source sent columns or types that its YAML does not declare. No value was lost: see ops.schema_changes.",
        key=("table_name", "column_name", "change"),
        rows="select * from ops.schema_changes where batch_id = @batch_id",
    )


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
        missing = [f"{column} is null" for column in table.primary_key]
        yield Rule(
            name=f"keys_present_in_{table.name}",
            relation=relation,
            action="block",
            reason="A row without its key, which names its tenant, can be neither updated nor counted.",
            rows=f"select * from {relation}\nwhere _batch_id = @batch_id and ({' or '.join(missing)})",
        )


def _key_balance(view: str, source: Source, table: Table, quarantined: bool) -> str:
    """SQL that compares the distinct raw keys that the run sees with the keys that core reads, that are deleted or in quarantine.

    A key is deleted if its latest version is a tombstone. A key is ahead if its latest version has not happened before the run.
    """
    keys = (
        "(select count(*) as all_keys, countif(_is_deleted) as deleted, countif(not _is_deleted and not has_happened) as ahead from ("
        f"select _is_deleted, {happened(table)} as has_happened from {source.dataset}.{table.name} where {visible(source, table)} {latest(table)}))"
    )
    rows = f"(select count(*) from staging.{view})"
    if quarantined:
        in_quarantine = f"(select count(distinct row_key) from quarantine.quarantined_rows where relation = {_literal(view)})"
        rows = f"(select count(*) from core.{clean_view(view)}) + {in_quarantine}"
    return (
        f"select {_literal(view)} as part, keys.all_keys as left_value, keys.deleted + keys.ahead + {rows} as right_value, "
        f"cast(null as int64) as row_count from {keys} as keys"
    )


def _staged(sources: Mapping[str, Source]) -> Iterator[tuple[str, Source, Table]]:
    """Each table that has a staging view, with the view's name. A source may be loaded before it has models."""
    folder: Path = settings().dbt_dir / "models" / "staging"
    modelled = {path.stem for path in folder.glob("*/*.sql")}
    for source in sources.values():
        for table in source.tables.values():
            view = f"stg_{source.name}__{table.name}"
            if view in modelled:
                yield view, source, table


def _union(parts: list[str], template: str) -> str:
    return template.format(union="\nunion all\n".join(parts))


def _literal(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
