"""The KPI tables that `make run` prints: one row per organization, its last complete month."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from rich.table import Table

Row = Mapping[str, Any]


def _count(row: Row, name: str) -> str:
    return "–" if row[name] is None else f"{row[name]:,}"


def _money(row: Row, name: str) -> str:
    return "–" if row[name] is None else f"{row['reporting_currency']} {row[name]:,.2f}"


def _mrr(row: Row, name: str) -> str:
    """The amount, and the subscriptions that are missing in it."""
    missing = row["subscriptions_without_rate"] or 0
    return _money(row, name) + (f" + {missing:,} subscription{'s' * (missing > 1)} without a rate" if missing else "")


def _of_tickets(row: Row, name: str) -> str:
    return "–" if not row[name] else f"{row[name]:,} of {row['tickets']:,}"


def _percent(row: Row, name: str) -> str:
    return "–" if row[name] is None else f"{row[name]:.1f} %"


def _score(row: Row, name: str) -> str:
    return "–" if row[name] is None else f"{row[name]:+.0f}"


def _change(row: Row, name: str) -> str:
    return "–" if row[name] is None else f"{row[name]:+.1f} %"


@dataclass(frozen=True)
class Kpis:
    """A table of KPIs.

    Attributes:
        title: the title, without the month.
        columns: heading → the function that formats the value, and the column of the query.
        sql: the query: a row per organization with its `name` and `month`.
    """

    title: str
    columns: Mapping[str, tuple[Callable[[Row, str], str], str]]
    sql: str

    def table(self, rows: list[dict[str, Any]]) -> Table:
        """The rows of the query as a table for the console."""
        table = Table(title=f"{self.title}, last complete month", title_justify="left", box=None, pad_edge=False)
        for heading in ("organization", "month"):
            table.add_column(heading)
        for heading in self.columns:
            table.add_column(heading, justify="right")
        for row in rows:
            table.add_row(row["name"], f"{row['month']:%Y-%m}", *(write(row, name) for write, name in self.columns.values()))
        return table


KPIS = (
    Kpis(
        "Recurring revenue",
        {
            "MRR": (_mrr, "mrr"),
            "customers": (_count, "customers"),
            "NRR": (_percent, "nrr_pct"),
            "GRR": (_percent, "grr_pct"),
            "at high risk": (_count, "at_risk"),
            "worth": (_money, "at_risk_mrr"),
        },
        """
    with

    risk as (
        select
            organization_id,
            if(countif(churn_risk_level is not null) = 0, null, countif(churn_risk_level in ('high', 'critical'))) as at_risk,
            sum(if(churn_risk_level in ('high', 'critical'), mrr_amount, null)) as at_risk_mrr
        from marts.mart_churn_risk
        group by organization_id
    ),

    mrr as (
        select
            organization_id,
            month,
            sum(closing_mrr_amount) as mrr,
            sum(subscriptions_without_rate) as subscriptions_without_rate
        from marts.mart_mrr_waterfall
        group by organization_id, month
    )

    select
        o.organization_name as name, m.reporting_currency, m.month, mrr.mrr, mrr.subscriptions_without_rate, m.account_count as customers,
        m.nrr_pct, m.grr_pct, risk.at_risk, risk.at_risk_mrr
    from marts.mart_nrr_summary as m
    join conformed.conformed_organizations as o on o.organization_id = m.organization_id
    left join mrr on mrr.organization_id = m.organization_id and mrr.month = m.month
    left join risk on risk.organization_id = m.organization_id
    where m.is_complete and m.dimension = 'total'
    qualify row_number() over (partition by m.organization_id order by m.month desc) = 1
    order by o.organization_name
""",
    ),
    Kpis(
        "Order revenue",
        {
            "revenue": (_money, "order_revenue"),
            "orders": (_count, "order_count"),
            "AOV": (_money, "average_order_value"),
            "YoY": (_change, "revenue_yoy_pct"),
        },
        """
    select o.organization_name as name, m.reporting_currency, m.month, m.order_revenue, m.order_count, m.average_order_value, m.revenue_yoy_pct
    from metrics.mtr_revenue_by_month as m
    join conformed.conformed_organizations as o on o.organization_id = m.organization_id
    where m.is_complete
    qualify row_number() over (partition by m.organization_id order by m.month desc) = 1
    order by o.organization_name
""",
    ),
    Kpis(
        "Pipeline",
        {
            "leads": (_count, "leads"),
            "weighted leads": (_money, "weighted"),
            "deals won": (_count, "won"),
            "worth": (_money, "won_amount"),
            "win rate": (_percent, "win_rate_pct"),
        },
        """
    select
        o.organization_name as name,
        m.reporting_currency,
        m.month,
        sum(m.lead_count) as leads,
        sum(m.weighted_lead_amount) as weighted,
        sum(m.won_deal_count) as won,
        sum(m.won_deal_amount) as won_amount,
        100 * safe_divide(sum(m.won_deal_count), sum(m.won_deal_count + m.lost_deal_count)) as win_rate_pct
    from marts.mart_pipeline_kpis as m
    join conformed.conformed_organizations as o on o.organization_id = m.organization_id
    where m.is_complete
    group by o.organization_name, o.organization_id, m.reporting_currency, m.month
    qualify row_number() over (partition by o.organization_id order by m.month desc) = 1
    order by o.organization_name
""",
    ),
    Kpis(
        "Support SLA",
        {
            "tickets": (_count, "tickets"),
            "first response": (_percent, "response_pct"),
            "resolution": (_percent, "resolution_pct"),
            "by default targets": (_of_tickets, "by_default"),
        },
        """
    with

    -- Tickets without a policy of the organization have the platform's default targets.
    by_default as (
        select organization_id, created_month, countif('default' in (response_policy, resolution_policy)) as ticket_count
        from marts.mart_ticket_analytics
        where not is_merged
        group by organization_id, created_month
    )

    select
        o.organization_name as name,
        m.created_month as month,
        any_value(d.ticket_count) as by_default,
        sum(m.ticket_count) as tickets,
        100 * safe_divide(sum(m.response_met_count), sum(m.response_met_count + m.response_breached_count)) as response_pct,
        100 * safe_divide(sum(m.resolution_met_count), sum(m.resolution_met_count + m.resolution_breached_count)) as resolution_pct
    from marts.mart_ticket_sla_compliance as m
    join conformed.conformed_organizations as o on o.organization_id = m.organization_id
    left join by_default as d on d.organization_id = m.organization_id and d.created_month = m.created_month
    where m.is_complete
    group by o.organization_name, o.organization_id, m.created_month
    qualify row_number() over (partition by o.organization_id order by m.created_month desc) = 1
    order by o.organization_name
""",
    ),
    Kpis(
        "Satisfaction",
        {
            "CSAT answers": (_count, "csat_answers"),
            "CSAT": (_percent, "csat_pct"),
            "NPS answers": (_count, "nps_answers"),
            "NPS": (_score, "nps"),
            "answered": (_percent, "response_pct"),
        },
        """
    select
        o.organization_name as name,
        m.month,
        sum(if(m.survey_type = 'csat', m.response_count, 0)) as csat_answers,
        100 * safe_divide(sum(m.satisfied_count), sum(if(m.survey_type = 'csat', m.response_count, 0))) as csat_pct,
        sum(if(m.survey_type = 'nps', m.response_count, 0)) as nps_answers,
        100 * safe_divide(sum(m.promoter_count - m.detractor_count), sum(if(m.survey_type = 'nps', m.response_count, 0))) as nps,
        100 * safe_divide(sum(m.answered_count), sum(m.sent_count)) as response_pct
    from marts.mart_satisfaction_rollups as m
    join conformed.conformed_organizations as o on o.organization_id = m.organization_id
    where m.is_complete
    group by o.organization_name, o.organization_id, m.month
    qualify row_number() over (partition by o.organization_id order by m.month desc) = 1
    order by o.organization_name
""",
    ),
)
