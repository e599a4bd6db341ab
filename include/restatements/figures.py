# ruff: noqa: S608 - SQL is built from the declared figures, never from data.
"""The figures about ended months, as `great_expectations/figures.yml` declares them, and the SQL that finds those that have changed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from include.settings import settings

Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$", max_length=60)]
Qualified = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*$")]
Reason = Literal[
    "definition change",
    "exchange rate",
    "late arrival",
    "correction",
    "deletion",
    "status history",
    "identity",
    "as-of time",
    "unknown",
]
#: The part of a figure that is not split into cohorts.
TOTAL = "total"


class FiguresError(ValueError):
    """The declared figures are wrong; the message names the file and the key."""


class Rows(BaseModel):
    """Source rows that figures count.

    Attributes:
        entity: the entity of the contract, such as `orders`. Conditions and columns have its names.
        when: SQL condition: whether a row counts in `figure_month` (DATE).
        facts: columns whose change is a correction.
        progress: columns whose change is status history.
        at_month_end: those of them that count as they were at the month's end; the others as of the run.
        open: SQL condition of the rows that count otherwise as time passes.
        reason: the reason of every change of these rows, if it is always the same.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    entity: Name
    when: str
    facts: tuple[Name, ...] = Field(min_length=1)
    progress: tuple[Name, ...] = ()
    at_month_end: tuple[Name, ...] = ()
    open: str = "false"
    reason: Reason | None = None

    @model_validator(mode="after")
    def _are_compared(self) -> Rows:
        if unknown := sorted({*self.at_month_end} - {*self.facts, *self.progress}):
            raise ValueError(f"at_month_end has {', '.join(unknown)}, which is neither in facts nor in progress")
        return self


class Figure(BaseModel):
    """A figure of a published table, per organization and month.

    Attributes:
        metric: its name.
        table: the published table, such as `marts.mart_nrr_summary`.
        month: the column with the first day of the month.
        cohort: the column that splits it into cohorts, a DATE; None for a total.
        where: SQL condition of its rows.
        value: SQL that aggregates its rows.
        unit: `money` and `count` are compared by relative change, `percent` and `points` by difference.
        warn, block: the tolerances: a share for money and counts, else percentage points or points.
        base: SQL that counts the rows below the figure.
        at_least: a figure of a smaller base is not judged.
        rows: names of the source rows that it counts.
        months_before: it also counts the rows of this many months earlier; 0 for none.
        at_rates_of_base: its exchange rates are those of that earlier month or of the cohort, not those of its own month.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    metric: Name
    table: Qualified
    month: Name = "month"
    cohort: Name | None = None
    where: str = "true"
    value: str
    unit: Literal["money", "count", "percent", "points"]
    warn: float = Field(gt=0)
    block: float = Field(gt=0)
    base: str = "cast(null as int64)"
    at_least: int = 0
    rows: tuple[Name, ...] = Field(min_length=1)
    months_before: int = Field(0, ge=0)
    at_rates_of_base: bool = False

    @property
    def is_relative(self) -> bool:
        """Whether its change is measured as a share of the published value."""
        return self.unit in ("money", "count")

    @model_validator(mode="after")
    def _warns_first(self) -> Figure:
        if self.warn > self.block:
            raise ValueError(f"{self.metric} blocks at {self.block}, before it warns at {self.warn}")
        return self

    @model_validator(mode="after")
    def _has_a_base(self) -> Figure:
        if self.at_rates_of_base and not (self.months_before or self.cohort):
            raise ValueError(f"{self.metric} has at_rates_of_base, but neither months_before nor cohort")
        return self


class Figures(BaseModel):
    """All declared figures, and the source rows that they count."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    figures: tuple[Figure, ...] = ()
    rows: dict[Name, Rows] = {}

    @model_validator(mode="after")
    def _names_are_known(self) -> Figures:
        metrics = [figure.metric for figure in self.figures]
        if repeated := sorted({metric for metric in metrics if metrics.count(metric) > 1}):
            raise ValueError(f"declared twice: {', '.join(repeated)}")
        if unknown := sorted({name for figure in self.figures for name in figure.rows} - set(self.rows)):
            raise ValueError(f"rows has no {', '.join(unknown)}")
        return self

    @property
    def tables(self) -> dict[str, tuple[Figure, ...]]:
        """Published table → its figures."""
        return {table: self.of(table) for table in dict.fromkeys(figure.table for figure in self.figures)}

    def of(self, table: str) -> tuple[Figure, ...]:
        """The figures of a published table."""
        return tuple(figure for figure in self.figures if figure.table == table)


def load_figures(path: Path | None = None) -> Figures:
    """The declared figures; none if there is no file.

    Raises:
        FiguresError: the file is invalid.
    """
    path = path or settings().gx_dir / "figures.yml"
    if not path.exists():
        return Figures()
    try:
        return Figures.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except ValidationError as error:
        wrong = (f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors())
        raise FiguresError(f"{path}: {'; '.join(wrong)}") from error
    except yaml.YAMLError as error:
        raise FiguresError(f"{path}: {' '.join(str(error).split())}") from error


def changes_sql(table: str, figures: tuple[Figure, ...], relation: str) -> str:
    """SQL for the figures of a table that differ from their last published values: one row per figure.

    Its columns are `metric`, `organization_id`, `month` (DATE), `part`, `old_value`, `value` (NUMERIC, rounded to six digits; NULL if
    there is none), `base_count` (INT64), and `is_restated`: whether the former publication had the month as ended. `@run_id` and
    `@as_of` stand for the run. Its own earlier rows do not count.

    Args:
        table: the published table.
        figures: its figures.
        relation: the table that holds the new values.
    """
    dataset, _, name = table.partition(".")
    metrics = ", ".join(f"'{figure.metric}'" for figure in figures)
    current = "\n    union all\n".join(_values_sql(figure, relation) for figure in figures)
    return f"""with figures as (
{current}
),
last as (
    select metric, organization_id, month, part, value, base_count
    from ops.published_figures
    where metric in ({metrics}) and run_id != @run_id
    qualify row_number() over (partition by metric, organization_id, month, part order by published_at desc) = 1
),
known as (
    select distinct metric, organization_id from last
),
former as (
    select max_by(as_of, published_at) as as_of
    from ops.publications
    where dataset = '{dataset}' and table_name = '{name}' and state = 'published' and run_id != @run_id
),
compared as (
    select
        coalesce(figures.metric, last.metric) as metric,
        coalesce(figures.organization_id, last.organization_id) as organization_id,
        coalesce(figures.month, last.month) as month,
        coalesce(figures.part, last.part) as part,
        last.value as old_value,
        figures.value as value,
        greatest(coalesce(figures.base_count, last.base_count), coalesce(last.base_count, figures.base_count)) as base_count,
        last.metric is not null as is_recorded
    from figures
    full join last
        on last.metric = figures.metric
        and last.organization_id = figures.organization_id
        and last.month = figures.month
        and last.part = figures.part
),
ended as (
    select compared.*, timestamp(date_add(compared.month, interval 1 month)) as ended_at
    from compared
)
select
    ended.metric,
    ended.organization_id,
    ended.month,
    ended.part,
    ended.old_value,
    ended.value,
    ended.base_count,
    ended.is_recorded or (known.metric is not null and coalesce(ended.ended_at <= former.as_of, false)) as is_restated
from ended
cross join former
left join known
    on known.metric = ended.metric
    and known.organization_id = ended.organization_id
where
    ended.ended_at <= @as_of
    and (not ended.is_recorded or ended.old_value is distinct from ended.value)"""


def _values_sql(figure: Figure, relation: str) -> str:
    part = f"cast({figure.cohort} as string)" if figure.cohort else f"'{TOTAL}'"
    return f"""    select
        '{figure.metric}' as metric,
        organization_id,
        {figure.month} as month,
        {part} as part,
        round(cast({figure.value} as numeric), 6) as value,
        cast({figure.base} as int64) as base_count
    from {relation}
    where is_complete and ({figure.where})
    group by organization_id, {figure.month}{f", {figure.cohort}" if figure.cohort else ""}"""


def beyond_sql(table: str, figures: tuple[Figure, ...], relation: str, action: Literal["warn", "block"]) -> str:
    """SQL for the figures of a table whose change exceeds a tolerance, a row each: `figure`, such as `nrr of acme in 2026-09: 98.10 → 88.20`.

    A figure that vanishes exceeds both tolerances; one that appears, or was 0, only the first. A run for an earlier as-of time
    than that of the last publication exceeds none. A full refresh, and a table that other code builds, exceed no second one.

    Args:
        table: the published table.
        figures: its figures.
        relation: the table that the gate judges.
        action: which tolerance.
    """
    dataset, _, name = table.partition(".")
    tolerances = ", ".join(
        f"struct('{figure.metric}' as metric, {float(getattr(figure, action))} as tolerance, "
        f"{str(figure.is_relative).lower()} as is_relative, {figure.at_least} as at_least)"
        for figure in figures
    )
    accepted = f"""
    and not @full_refresh
    and coalesce(shown.code_version is null or strpos(@code_versions, concat('{table}:', shown.code_version)) > 0, true)"""
    return f"""with changes as (
{changes_sql(table, figures, relation)}
),
tolerances as (
    select declared.metric, declared.tolerance, declared.is_relative, declared.at_least
    from unnest([{tolerances}]) as declared
),
shown as (
    select max_by(as_of, published_at) as as_of, max_by(code_version, published_at) as code_version
    from ops.publications
    where dataset = '{dataset}' and table_name = '{name}' and state = 'published'
),
judged as (
    select
        changes.*,
        tolerances.tolerance,
        case
            when changes.value is null then true
            when changes.old_value is null or (tolerances.is_relative and changes.old_value = 0) then {str(action == "warn").lower()}
            when tolerances.is_relative
                then abs(cast(changes.value - changes.old_value as float64)) > tolerances.tolerance * abs(cast(changes.old_value as float64))
            else abs(cast(changes.value - changes.old_value as float64)) > tolerances.tolerance
        end as is_beyond
    from changes
    inner join tolerances on tolerances.metric = changes.metric
    where changes.is_restated and coalesce(changes.base_count >= tolerances.at_least, true)
)
select
    concat(
        judged.metric, ' of ', judged.organization_id, ' in ', format_date('%Y-%m', judged.month),
        if(judged.part = '{TOTAL}', '', concat(', cohort ', judged.part)), ': ',
        coalesce(format('%.2f', cast(judged.old_value as float64)), 'none'), ' → ',
        coalesce(format('%.2f', cast(judged.value as float64)), 'none')
    ) as figure
from judged
cross join shown
where
    judged.is_beyond
    and coalesce(@as_of >= shown.as_of, true){accepted if action == "block" else ""}"""
