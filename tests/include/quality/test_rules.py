"""The platform's own rules, as committed: sound rows meet each rule, and a change of the rows breaks it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from google.cloud.bigquery import Client

from include import ops
from include.quality.derived import conformed_rules, core_rules
from include.quality.parameters import typed
from include.quality.reconciliation import differing, read, sides_query
from include.quality.rules import Rule, load_gates
from include.quality.scope import tables_in
from include.settings import settings
from include.sources import Table, load_sources
from include.warehouse import execute
from tests.include.quality.test_gates import SHOP
from tests.warehouse import rows

VALUES = {"run_id": "this_run", "as_of": "2026-10-01 00:00:00+00", "batch_id": "", "full_refresh": "false"}

# Rows that meet every rule: one organization, one account with two successive subscriptions, one deal with two stage intervals, one order
# with one line, one ticket, one answered survey, one login, one row of every other fact, and the audit tables of the run before.
SOUND = """
create or replace table conformed.conformed_organizations as select 'o' as organization_id;
create or replace table conformed.conformed_accounts as select 'o' as organization_id, 'a' as account_id;
create or replace table conformed.conformed_deals as select 'o' as organization_id, 'd' as deal_id, 'discovery' as stage;
create or replace table conformed.conformed_leads as select 'o' as organization_id, 'k' as lead_id, 'discovery' as stage;
create or replace table conformed.conformed_sla_policies as
select 'o' as organization_id, 'p1' as priority, 'business' as clock union all select 'o', 'p2', 'lunar';
create or replace table conformed.conformed_deal_stage_history as
select 'o' as organization_id, 'h' as history_id, 'd' as deal_id;
create or replace table conformed.conformed_orders as
select 'o' as organization_id, 'r' as order_id, 'a' as account_id, 'EUR' as currency, numeric '19' as total_amount;
create or replace table conformed.conformed_order_items as
select 'o' as organization_id, 'i' as order_item_id, 'r' as order_id;
create or replace table core.clean_order_items as
select 'o' as organization_id, 'i' as order_item_id, 'r' as order_id, numeric '20' as line_amount;
create or replace table conformed.conformed_tickets as
select 'o' as organization_id, 't' as ticket_id, 'a' as account_id, 'high' as priority, 'triage' as status;
create or replace table conformed.conformed_ticket_priority_changes as
select 'o' as organization_id, 'p' as change_id, 't' as ticket_id;
create or replace table conformed.conformed_subscriptions as
select
    'o' as organization_id, 's' as subscription_id, 'a' as account_id, cast(null as string) as replaces_subscription_id,
    'cancelled' as status, timestamp '2026-08-05' as started_at, timestamp '2026-09-05' as ended_at
union all
select 'o', 's2', 'a', 's', 'active', timestamp '2026-09-05', cast(null as timestamp)
union all
select 'o', 's3', 'a', null, 'cancelled', timestamp '2026-07-05', cast(null as timestamp);

create or replace table core.dim_accounts as
select 'o' as organization_id, 'a' as account_id;
create or replace table conformed.conformed_usage_events as select 'o' as organization_id, true as is_login;
create or replace table core.fct_usage as select 'o' as organization_id, 1 as event_count, 1 as login_count;
create or replace table core.pipeline_scenarios as
select 'weighted' as scenario, true as apply_probability, true as include_open union all select 'committed', false, false;
create or replace table core.subscription_statuses as
select 'active' as status, 'active' as means union all select 'cancelled', 'cancelled';
create or replace table core.int_billing__subscription_states as
select
    'o' as organization_id, 's' as subscription_id, 'a' as top_account_id, date '2026-08-01' as month, 'earning' as state,
    'cancelled' as status, 'month' as billing_interval, 'EUR' as currency, numeric '10' as mrr, numeric '10' as mrr_amount
union all
select 'o', 's2', 'a', date '2026-09-01', 'earning', 'active', 'quarter', 'EUR', numeric '10', numeric '10';
create or replace table core.int_billing__subscription_months as
select 'o' as organization_id, 's' as subscription_id, date '2026-08-01' as month, numeric '10' as mrr_amount
union all
select 'o', 's2', date '2026-09-01', numeric '10';
create or replace table core.fct_revenue as
select
    'o' as organization_id, 'a' as account_id, date '2026-08-01' as month, date '2026-08-01' as cohort_month, true as is_complete,
    1 as subscription_count, numeric '10' as mrr_amount, numeric '0' as opening_mrr_amount,
    'a' as account_key
union all
select 'o', 'a', date '2026-09-01', date '2026-08-01', true, 1, numeric '10', numeric '10', 'a';
create or replace table ops.invoiced_mrr as
select
    'o' as organization_id, 's' as subscription_id, date '2026-08-01' as month, 'EUR' as currency, numeric '10' as mrr,
    numeric '10' as invoiced_mrr, 'agrees' as reason;
create or replace table core.fct_tickets as
select
    'o' as organization_id, 't' as ticket_id, 'high' as priority, false as is_open, true as is_resolved,
    timestamp '2026-09-01' as created_at, 'met' as response_state, 'breached' as resolution_state, 'a' as account_key,
    'business' as response_clock, 'calendar' as resolution_clock, true as has_response_times, false as is_merged,
    cast(null as string) as merged_into_ticket_id;
create or replace table conformed.conformed_ticket_sla_events as
select 'o' as organization_id, 't' as ticket_id, 'reply_time' as metric;
create or replace table core.fct_ticket_sla_reconciliation as
select
    'o' as organization_id, 'resolution' as metric, number as ticket_number, if(number = 1, 'unexplained', 'same') as reason,
    number > 1 as is_agreed
from unnest(generate_array(1, 20)) as number
union all
select 'o', 'resolution', 21, 'not_reported', null;
create or replace table core.dim_organizations as
select 'o' as organization_id, 'Mars/Olympus' as source_timezone, cast(null as string) as business_clock_issue;
create or replace table core.fct_survey_responses as
select 'o' as organization_id, 'csat' as survey_type, true as is_responded, timestamp '2026-09-01' as sent_at;
create or replace table core.fct_orders as
select
    'o' as organization_id, 'r' as order_id, 'EUR' as currency, numeric '19' as total_amount, numeric '4' as discount_amount,
    numeric '2' as tax_amount, numeric '1' as shipping_amount, true as is_revenue,
    numeric '38' as revenue_amount, date '2026-08-15' as ordered_date, timestamp '2026-08-15' as ordered_at, 'a' as account_key;
create or replace table core.fct_deal_stage_history as
select
    'o' as organization_id, 'd' as deal_id, 1 as interval_number, 'proposal' as stage, timestamp '2026-09-01' as valid_from,
    timestamp '2026-09-02' as valid_to
union all
select 'o', 'd', 2, 'closed_won', timestamp '2026-09-02', cast(null as timestamp);

create or replace table marts_build.mart_ticket_sla_compliance as
select
    'o' as organization_id, 'f' as facility_id, 'high' as priority, date '2026-09-01' as created_month, 1 as ticket_count,
    1 as response_met_count, 0 as response_breached_count, 0 as response_pending_count, 0 as response_unknown_count,
    0 as resolution_met_count, 1 as resolution_breached_count, 0 as resolution_pending_count, 0 as resolution_unknown_count;
create or replace table marts_build.mart_ticket_analytics as select 'o' as organization_id, 't' as ticket_id;
create or replace table marts_build.mart_sla_adherence as
select
    'o' as organization_id, 'high' as priority, 'smb' as segment, date '2026-09-01' as created_month, 1 as ticket_count,
    1 as response_met_count, 0 as response_breached_count, 0 as resolution_met_count, 1 as resolution_breached_count;
create or replace table marts_build.mart_top_root_causes as select 'o' as organization_id, 1 as ticket_count;
create or replace table metrics_build.mtr_support_performance as
select 'o' as organization_id, dimension, 1 as ticket_count
from unnest(['total', 'channel', 'category']) as dimension;
create or replace table metrics_build.mtr_weekly_ops as select 'o' as organization_id, 1 as ticket_count;
create or replace table marts_build.mart_satisfaction_rollups as
select
    'o' as organization_id, 'csat' as survey_type, 1 as sent_count, 1 as response_count, 0 as unscored_response_count;
create or replace table marts_build.mart_mrr_waterfall as
select
    'o' as organization_id, date '2026-08-01' as month, numeric '0' as opening_mrr_amount, numeric '10' as new_amount,
    numeric '0' as expansion_amount, numeric '0' as reactivation_amount, numeric '0' as contraction_amount,
    numeric '0' as churn_amount, numeric '0' as fx_amount
union all
select
    'o', date '2026-09-01', numeric '10', numeric '0', numeric '0', numeric '0', numeric '0', numeric '0', numeric '0';
create or replace table marts_build.mart_nrr_summary as
select
    'o' as organization_id, month, dimension, numeric '0' as base_mrr_amount
from unnest([date '2026-08-01', date '2026-09-01']) as month
cross join unnest(['total', 'segment']) as dimension;
create or replace table marts_build.mart_revenue_cohorts as
select
    'o' as organization_id, date '2026-08-01' as cohort_month, date '2026-08-01' as month, true as is_complete,
    1 as retained_account_count, numeric '10' as retained_mrr_at_month_rates_amount
union all
select 'o', date '2026-08-01', date '2026-09-01', true, 1, numeric '10';
create or replace table metrics_build.mtr_revenue_by_month as
select
    'o' as organization_id, date '2026-08-01' as month, numeric '38' as order_revenue, true as is_complete,
    1 as order_count, 0 as orders_without_rate, 0 as orders_without_status, 0 as excluded_order_count, 1 as customer_count;
create or replace table metrics_build.mtr_customer_segment_summary as
select
    'o' as organization_id, date '2026-08-01' as month, numeric '38' as order_revenue, 1 as order_count, 0 as orders_without_rate,
    1 as ordering_customer_count, numeric '10' as mrr_amount, 1 as paying_customer_count
union all
select 'o', date '2026-09-01', numeric '0', 0, 0, 0, numeric '10', 1;
create or replace table marts_build.mart_customer_360 as
select
    'o' as organization_id, 1 as deal_count, 1 as ticket_count, 1 as activity_count, numeric '38' as order_revenue,
    numeric '60' as invoiced_amount;
create or replace table marts_build.mart_customer_health_scores as
select 'o' as organization_id, 'a' as account_key, true as is_current
union all
select 'o', 'former customer', false;
create or replace table marts_build.mart_churn_risk as select 'o' as organization_id, 'a' as account_key;
create or replace table marts_build.mart_pipeline_kpis as select 'o' as organization_id, 1 as lead_count, 1 as deal_count;
create or replace table marts_build.mart_revenue_kpis as
select 'o' as organization_id, numeric '60' as invoiced_amount, numeric '38' as order_revenue;
create or replace table marts_build.mart_outreach_kpis as select 'o' as organization_id, 1 as outreach_count;
create or replace table marts_build.mart_compliance_kpis as select 'o' as organization_id, 1 as check_count;
create or replace table marts_build.mart_combined_kpis as
select
    'o' as organization_id, 1 as lead_count, 1 as deal_count, numeric '60' as invoiced_amount, numeric '38' as order_revenue,
    1 as outreach_count, 1 as check_count;
create or replace table marts_build.mart_sales_forecast as
select
    'o' as organization_id, 'weighted' as scenario, 1 as deal_count, numeric '100' as deal_amount, numeric '40' as forecast_amount
union all
select 'o', 'committed', 1, numeric '100', numeric '0';
create or replace table marts_build.mart_weighted_pipeline_scenarios as
select 'o' as organization_id, scenario, 1 as lead_count, numeric '50' as lead_amount from core.pipeline_scenarios;
create or replace table marts_build.mart_conversion_funnel as
select 'o' as organization_id, 'lead' as stage, 1 as reached_count union all select 'o', 'won', 0;
create or replace table marts_build.mart_cohort_retention as
select 'o' as organization_id, 0 as months_since, 1 as lead_count union all select 'o', 1, 1;
create or replace table marts_build.mart_rep_activity_by_channel as
select 'o' as organization_id, 1 as sent_count, 1 as responded_count, 0 as converted_count;
create or replace table marts_build.mart_product_performance as
select
    'o' as organization_id, 1 as line_count, 0 as lines_without_rate, 0 as lines_without_status, 0 as excluded_line_count,
    numeric '20' as revenue_amount;
"""

# Fact or dimension → the view that it is built from, and the key of both. The unknown user is in no view.
BUILT_FROM = {
    "core.dim_contacts": ("conformed.conformed_contacts", "contact_id"),
    "core.dim_products": ("conformed.conformed_products", "product_id"),
    "core.dim_users": ("conformed.conformed_users", "user_id"),
    "core.fct_activities": ("conformed.conformed_activities", "activity_id"),
    "core.fct_compliance_checks": ("conformed.conformed_compliance_checks", "check_id"),
    "core.fct_deals": ("conformed.conformed_deals", "deal_id"),
    "core.fct_invoices": ("conformed.conformed_invoices", "invoice_id"),
    "core.fct_leads": ("conformed.conformed_leads", "lead_id"),
    "core.fct_order_items": ("core.clean_order_items", "order_item_id"),
    "core.fct_outreach": ("conformed.conformed_outreach", "outreach_id"),
}
# The other columns of these facts that the rules read.
FIGURES = {
    "core.fct_activities": "'a' as account_key, timestamp '2026-09-01' as created_at",
    "core.fct_compliance_checks": "date '2026-09-01' as due_month",
    "core.fct_deals": (
        "'a' as account_key, 'proposal' as stage, timestamp '2026-09-01' as created_at, numeric '100' as amount_reporting, "
        "numeric '40' as weighted_amount"
    ),
    "core.fct_invoices": (
        "'a' as account_key, true as is_revenue, timestamp '2026-09-01' as issued_at, numeric '60' as total_amount_reporting"
    ),
    "core.fct_leads": (
        "'lead' as stage, timestamp '2026-09-01' as created_at, date '2026-09-01' as created_date, numeric '50' as amount_reporting"
    ),
    "core.fct_order_items": "true as is_revenue, date '2026-08-15' as ordered_date, numeric '20' as net_amount_reporting",
    "core.fct_outreach": "true as is_responded, false as is_converted, timestamp '2026-09-01' as sent_at",
}
SOUND += "".join(
    f";\ncreate table if not exists {staged} as select 'o' as organization_id, 'k' as {key};\n"
    f"create or replace table {built} as select organization_id, {key}, false as is_unknown, {FIGURES.get(built, '0 as figure')} from {staged}"
    for built, (staged, key) in BUILT_FROM.items()
)
SOUND += ";\ninsert into core.dim_users values ('o', 'unknown', true, 0)"

_SLA = "marts_build.mart_ticket_sla_compliance"
_REVENUE = "metrics_build.mtr_revenue_by_month"
_STAGE_INTERVALS = "core.fct_deal_stage_history"
_RECURRING = "core.fct_revenue"
_WATERFALL = "marts_build.mart_mrr_waterfall"

#: Rule in YAML → a statement after which rows break it.
DAMAGE = {
    "organizations_are_known": "delete from conformed.conformed_organizations where true",
    "stage_history_of_known_deals": "update conformed.conformed_deals set organization_id = 'other' where true",
    "order_items_of_known_orders": "delete from conformed.conformed_orders where true",
    "priority_changes_of_known_tickets": "delete from conformed.conformed_tickets where true",
    "orders_of_known_accounts": "update conformed.conformed_accounts set organization_id = 'other' where true",
    "orders_mostly_of_known_accounts": "update conformed.conformed_accounts set account_id = 'x' where true",
    "tickets_of_known_accounts": "delete from conformed.conformed_accounts where true",
    "sla_events_of_known_tickets": "update conformed.conformed_tickets set organization_id = 'other' where true",
    "subscriptions_of_known_accounts": "update conformed.conformed_subscriptions set account_id = 'x' where true",
    "tickets_reach_core": "insert into core.fct_tickets select * from core.fct_tickets",
    "orders_reach_core": "delete from core.fct_orders where true",
    "order_amounts_reach_core": "update core.fct_orders set total_amount = 19.01 where true",
    "rows_reach_core": "update core.dim_users set user_id = 'x' where not is_unknown",
    "deals_have_a_history": f"update {_STAGE_INTERVALS} set deal_id = 'x' where true",
    "usage_counts_every_event": "delete from core.fct_usage where true",
    "order_totals_add_up": "update core.clean_order_items set line_amount = 21 where true",
    "deal_stages_are_known": "update core.fct_deals set stage = 'unknown' where true",
    "lead_stages_are_known": "update core.fct_leads set stage = 'unknown' where true",
    "business_clocks_are_known": "update core.dim_organizations set business_clock_issue = 'unknown_time_zone' where true",
    "sla_clocks_are_known": "update core.fct_tickets set response_clock = 'unknown' where true",
    "reply_times_are_recorded": "update core.fct_tickets set has_response_times = false where true",
    "sla_differences_are_explained": "delete from core.fct_ticket_sla_reconciliation where ticket_number = 20",
    "merged_tickets_name_their_target": "update core.fct_tickets set is_merged = true where true",
    "ticket_statuses_are_known": "update core.fct_tickets set is_open = null, is_resolved = null where true",
    "priorities_agree_with_history": "update conformed.conformed_tickets set priority = null where true",
    "mrr_by_subscription": f"update {_RECURRING} set mrr_amount = 10.01 where true",
    "subscriptions_have_a_state": "delete from core.int_billing__subscription_states where month = '2026-09-01'",
    "statuses_and_intervals_are_known": "update core.int_billing__subscription_states set state = 'unknown_interval' where true",
    "little_is_at_stake_in_unknown_words": "update core.int_billing__subscription_states set state = 'unknown_status' where true",
    "accounts_are_not_in_credit": "delete from core.int_billing__subscription_months where true",
    "mrr_is_invoiced": "update ops.invoiced_mrr set invoiced_mrr = 9.4, reason = 'other_amount' where true",
    "invoices_agree_with_terms": "update ops.invoiced_mrr set reason = 'ended_within_period' where true",
    "replaced_subscriptions_have_ended": "update conformed.conformed_subscriptions set ended_at = null where true",
    "tickets_reach_the_mart": f"update {_SLA} set resolution_breached_count = 0 where true",
    "tickets_reach_every_mart": "delete from metrics_build.mtr_support_performance where dimension = 'category'",
    "sla_counts_agree_by_segment": "update marts_build.mart_sla_adherence set resolution_breached_count = 0 where true",
    "answers_reach_the_rollups": "update marts_build.mart_satisfaction_rollups set unscored_response_count = 1 where true",
    "facts_reach_customer_360": "delete from marts_build.mart_customer_360 where true",
    "customers_are_scored": "delete from marts_build.mart_churn_risk where true",
    "facts_reach_the_facility_kpis": "delete from marts_build.mart_combined_kpis where true",
    "deals_reach_every_scenario": "delete from marts_build.mart_sales_forecast where scenario = 'committed'",
    "leads_reach_every_scenario": "delete from marts_build.mart_weighted_pipeline_scenarios where scenario = 'committed'",
    "leads_reach_funnel_and_cohorts": "delete from marts_build.mart_cohort_retention where true",
    "outreach_reaches_every_channel": "delete from marts_build.mart_rep_activity_by_channel where true",
    "order_lines_reach_the_products": "delete from marts_build.mart_product_performance where true",
    "segments_add_up_to_their_month": "delete from metrics_build.mtr_customer_segment_summary where month = '2026-09-01'",
    "monthly_revenue": f"update {_REVENUE} set order_revenue = 38.01 where true",
    "orders_reach_the_months": f"update {_REVENUE} set excluded_order_count = 1 where true",
    "mrr_waterfall_closes": f"update {_WATERFALL} set fx_amount = -0.01 where month = '2026-09-01'",
    "retention_base_is_the_mrr_of_then": "update marts_build.mart_nrr_summary set base_mrr_amount = 1 where true",
    "cohorts_hold_every_account": "update marts_build.mart_revenue_cohorts set retained_mrr_at_month_rates_amount = 9 where true",
}

RULES = {rule.name: rule for gate in load_gates().values() for rule in gate.rules}


def broken_parts(bq: Client, rule: Rule) -> set[str]:
    """The parts that break a reconciliation."""
    (row,) = execute(sides_query(str(rule.reconcile)), typed(VALUES), bq).result()
    return {str(side["part"]) for side in differing(read(row[0]), rule.tolerance)}


def broken(bq: Client, rule: Rule) -> int:
    """The number of rows, or parts of a reconciliation, that break a rule."""
    assert rule.rows or rule.reconcile
    if rule.reconcile:
        return len(broken_parts(bq, rule))
    (row,) = execute(f"select count(*) from ({rule.rows})", typed(VALUES), bq).result()
    return int(row[0])


def test_every_rule_in_yaml_has_its_damage() -> None:
    assert set(DAMAGE) == set(RULES)


def test_no_row_breaks_a_rule_by_itself() -> None:
    """A gate compares tables or rows. Any other rule is a dbt test of its table (docs/who-tests-what.md).

    The views of `ops` compare tables themselves.
    """
    compares = re.compile(r"\b(group by|having|qualify)\b")
    alone = {
        name
        for name, rule in RULES.items()
        if len(tables_in(rule)) < 2
        and not compares.search(rule.rows or rule.reconcile or "")
        and not rule.relation.startswith("ops.")
    }
    assert alone == set()


@pytest.mark.parametrize("name", RULES)
def test_sound_rows_meet_a_rule_and_damaged_rows_break_it(bq: Client, name: str) -> None:
    bq.query(SOUND).result()
    assert broken(bq, RULES[name]) == 0
    bq.query(DAMAGE[name]).result()
    assert broken(bq, RULES[name]) > 0


def _later(table: str, **times: str) -> str:
    """A statement that repeats the rows of a fact at another time."""
    replaced = ", ".join(f"{value} as {column}" for column, value in times.items())
    return f"insert into {table} select * replace ({replaced}) from {table}"


_AS_OF = "timestamp '2026-10-01'"
_NEXT_DAY = "date '2026-10-01'"


#: Of rows without a status, nobody knows how many count. They are counted beside.
_WITHOUT_STATUS = "set {0}_count = null, excluded_{0}_count = null, {0}s_without_status = 1"

#: Reconciliation → changes of the rows, each with the parts that then differ.
CHANGES: dict[str, list[tuple[str, set[str]]]] = {
    "usage_counts_every_event": [
        ("update core.fct_usage set event_count = 2 where true", {"o|events"}),
        ("update core.fct_usage set login_count = 0 where true", {"o|logins"}),
        ("update core.fct_usage set organization_id = 'p' where true", {"o|events", "o|logins", "p|events", "p|logins"}),
    ],
    "facts_reach_customer_360": [
        ("delete from core.dim_accounts where true", {"o|accounts"}),
        ("delete from core.fct_deals where true", {"o|deals"}),
        ("delete from core.fct_tickets where true", {"o|tickets"}),
        ("delete from core.fct_activities where true", {"o|activities"}),
        ("update core.fct_orders set revenue_amount = 38.01 where true", {"o|order revenue"}),
        ("update core.fct_invoices set is_revenue = false where true", {"o|invoiced amount"}),
        ("update core.fct_deals set account_key = null where true", {"o|deals"}),
        (_later("core.fct_deals", created_at=_AS_OF), set()),
        (_later("core.fct_tickets", created_at=_AS_OF), set()),
        (_later("core.fct_activities", created_at=_AS_OF), set()),
        (_later("core.fct_orders", ordered_at=_AS_OF), set()),
        (_later("core.fct_invoices", issued_at=_AS_OF), set()),
    ],
    "customers_are_scored": [
        ("update marts_build.mart_customer_health_scores set is_current = false where true", {"o|mart_customer_health_scores"}),
        ("update marts_build.mart_churn_risk set account_key = 'b' where true", {"o|mart_churn_risk"}),
        ("insert into marts_build.mart_churn_risk select * from marts_build.mart_churn_risk", {"o|mart_churn_risk"}),
        (
            f"update {_RECURRING} set subscription_count = 0 where month = '2026-09-01'",
            {"o|mart_customer_health_scores", "o|mart_churn_risk"},
        ),
        (f"update {_RECURRING} set subscription_count = 0 where month = '2026-08-01'", set()),
    ],
    "facts_reach_the_facility_kpis": [
        ("delete from core.fct_leads where true", {"o|mart_pipeline_kpis|leads", "o|mart_combined_kpis|leads"}),
        ("delete from core.fct_deals where true", {"o|mart_pipeline_kpis|deals", "o|mart_combined_kpis|deals"}),
        (
            "update core.fct_invoices set total_amount_reporting = null where true",
            {"o|mart_revenue_kpis|invoiced amount", "o|mart_combined_kpis|invoiced amount"},
        ),
        ("update marts_build.mart_revenue_kpis set order_revenue = 0 where true", {"o|mart_revenue_kpis|order revenue"}),
        ("update marts_build.mart_outreach_kpis set outreach_count = 2 where true", {"o|mart_outreach_kpis|outreach"}),
        ("update marts_build.mart_combined_kpis set check_count = 0 where true", {"o|mart_combined_kpis|checks"}),
        ("update marts_build.mart_revenue_kpis set order_revenue = null where true", {"o|mart_revenue_kpis|order revenue"}),
        (_later("core.fct_leads", created_at=_AS_OF), set()),
        (_later("core.fct_deals", created_at=_AS_OF), set()),
        (_later("core.fct_invoices", issued_at=_AS_OF), set()),
        (_later("core.fct_orders", ordered_at=_AS_OF), set()),
        (_later("core.fct_outreach", sent_at=_AS_OF), set()),
        (_later("core.fct_compliance_checks", due_month=_NEXT_DAY), set()),
    ],
    "deals_reach_every_scenario": [
        (
            _later("core.fct_deals", created_at=_AS_OF),
            {"o|weighted|deals", "o|weighted|amount", "o|weighted|weighted amount", "o|committed|deals", "o|committed|amount"},
        ),
        ("update core.fct_deals set weighted_amount = 40.01 where true", {"o|weighted|weighted amount"}),
        ("update marts_build.mart_sales_forecast set deal_amount = 99 where scenario = 'committed'", {"o|committed|amount"}),
        ("update marts_build.mart_sales_forecast set forecast_amount = 1 where scenario = 'committed'", set()),
    ],
    "leads_reach_every_scenario": [
        (
            _later("core.fct_leads", created_at=_AS_OF),
            {"o|weighted|leads", "o|weighted|amount", "o|committed|leads", "o|committed|amount"},
        ),
        ("update core.fct_leads set amount_reporting = null where true", {"o|weighted|amount", "o|committed|amount"}),
    ],
    "leads_reach_funnel_and_cohorts": [
        ("update marts_build.mart_conversion_funnel set reached_count = 2 where stage = 'lead'", {"o|mart_conversion_funnel"}),
        ("delete from core.fct_leads where true", {"o|mart_conversion_funnel", "o|mart_cohort_retention"}),
        (_later("core.fct_leads", created_date=_NEXT_DAY), {"o|mart_conversion_funnel"}),
    ],
    "outreach_reaches_every_channel": [
        ("update core.fct_outreach set is_converted = true where true", {"o|converted"}),
        ("update core.fct_outreach set is_responded = null where true", {"o|responded"}),
        ("update marts_build.mart_rep_activity_by_channel set sent_count = 2 where true", {"o|sent"}),
    ],
    "orders_reach_the_months": [(f"update {_REVENUE} {_WITHOUT_STATUS.format('order')} where true", set())],
    "order_lines_reach_the_products": [
        ("update core.fct_order_items set is_revenue = false where true", {"o|revenue"}),
        ("update marts_build.mart_product_performance set excluded_line_count = 1 where true", {"o|lines"}),
        (f"update marts_build.mart_product_performance {_WITHOUT_STATUS.format('line')} where true", set()),
        (_later("core.fct_order_items", ordered_date=_NEXT_DAY), set()),
    ],
}


@contextmanager
def changed(bq: Client, change: str) -> Iterator[None]:
    """The warehouse after a statement that changes one table; the table is restored afterwards."""
    found = re.match(r"(?:delete from|insert into|update) (\S+)", change)
    assert found is not None
    bq.query(f"create or replace table core.kept as select * from {found[1]}; {change}").result()
    yield
    bq.query(f"create or replace table {found[1]} as select * from core.kept").result()


@pytest.mark.parametrize("name", CHANGES)
def test_a_reconciliation_names_the_figures_that_differ(bq: Client, name: str) -> None:
    bq.query(SOUND).result()
    for change, parts in CHANGES[name]:
        with changed(bq, change):
            assert broken_parts(bq, RULES[name]) == parts, change


def test_every_figure_of_a_month_is_compared_with_its_segments(bq: Client) -> None:
    segments = "metrics_build.mtr_customer_segment_summary"
    bq.query(SOUND).result()
    for table, column in [
        (segments, "order_revenue"),
        (segments, "order_count"),
        (segments, "paying_customer_count"),
        (_REVENUE, "orders_without_rate"),
        (_REVENUE, "customer_count"),
        (_RECURRING, "mrr_amount"),
    ]:
        with changed(bq, f"update {table} set {column} = {column} + 1 where month = '2026-08-01'"):
            assert broken(bq, RULES["segments_add_up_to_their_month"]) == 1, column


@pytest.mark.parametrize("built", BUILT_FROM)
def test_each_conformed_row_is_once_in_the_table_that_is_built_from_it(bq: Client, built: str) -> None:
    """A row that is missing, repeated or not conformed is found, even if the numbers of rows agree."""
    rule, (staged, key) = RULES["rows_reach_core"], BUILT_FROM[built]
    bq.query(SOUND).result()
    bq.query(f"update {staged} set {key} = 'other' where true").result()
    assert broken(bq, rule) == 1
    bq.query(
        f"insert into {staged} (organization_id, {key}) select organization_id, {key} from {built} where not is_unknown"
    ).result()
    bq.query(f"insert into {built} select * replace ('other' as {key}) from {built} where not is_unknown").result()
    assert broken(bq, rule) == 0
    bq.query(f"insert into {built} select * from {built}").result()
    assert broken(bq, rule) == 1


@pytest.mark.parametrize(("at_stake", "blocks"), [("0.10", 0), ("0.11", 1)])
def test_unknown_words_may_be_one_percent_of_revenue(bq: Client, at_stake: str, blocks: int) -> None:
    """9.90 earn in September. With 0.10 more of an unknown status MRR would be 10, and 0.10 is 1 % of it."""
    bq.query(SOUND).result()
    states = "core.int_billing__subscription_states"
    bq.query(f"update {states} set mrr_amount = 9.90 where month = '2026-09-01'").result()
    unknown = f"'x' as subscription_id, 'unknown_status' as state, numeric '{at_stake}' as mrr_amount"
    bq.query(f"insert into {states} select * replace ({unknown}) from {states} where month = '2026-09-01'").result()
    assert broken(bq, RULES["little_is_at_stake_in_unknown_words"]) == blocks
    assert broken(bq, RULES["statuses_and_intervals_are_known"]) == 1


def test_a_category_that_is_no_accepted_value_is_found(bq: Client) -> None:
    sources = load_sources()
    rules = {rule.relation: rule for rule in conformed_rules(sources) if rule.name.startswith("known_categories_of_")}
    for source in sources.values():
        for table in source.tables.values():
            accepted = {name: column.accepted_values[0] for name, column in table.columns.items() if column.accepted_values}
            if not accepted:
                continue
            relation = f"conformed.conformed_{table.name}"
            sound = ", ".join(f"'{value}' as {name}" for name, value in accepted.items())
            bq.query(f"create table {relation} as select {sound}").result()
            assert broken(bq, rules[relation]) == 0
            for name in accepted:
                bq.query(f"insert into {relation} select * replace ('nonsense' as {name}) from (select {sound})").result()
            assert broken(bq, rules[relation]) == len(accepted)


@pytest.mark.parametrize(
    ("change", "difference", "without_rule"),
    [
        (None, 0, 0),
        ("insert into raw_shop.items values ('i4', 'o', timestamp '2026-09-30', false, null, 'f')", 1, 1),
        ("insert into raw_shop.items values ('i1', 'o', timestamp '2026-09-30', true, null, 'f')", -1, -1),
        ("insert into raw_shop.items values ('i1', 'p', timestamp '2026-09-30', false, null, 'f')", 1, 1),
        ("delete from conformed.conformed_items where item_id = 'i1'", 1, 1),
        ("delete from quarantine.quarantined_rows where true", 1, 0),
    ],
)
def test_every_raw_key_is_conformed_or_in_quarantine_or_deleted(
    bq: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: str | None, difference: int, without_rule: int
) -> None:
    """i1 is clean, i2 in quarantine, i3 deleted. The i1 of another organization is another key. Rows have no updated_at, so the time of extraction decides which version is the latest."""
    (tmp_path / "models" / "conformed" / "shared").mkdir(parents=True)
    (tmp_path / "models" / "conformed" / "shared" / "conformed_items.sql").touch()
    monkeypatch.setenv("PLATFORM_DBT_DIR", str(tmp_path))
    settings.cache_clear()
    (rule,) = core_rules({"shop": SHOP}, quarantined=["conformed_items"])
    bq.query(
        "create table raw_shop.items as select item_id, 'o' as organization_id, seen as _extracted_at, gone as _is_deleted, "
        "seen as _loaded_at, 'f' as _source_file_id "
        "from (select 'i1' as item_id, timestamp '2026-09-01' as seen, false as gone union all "
        "select 'i1', timestamp '2026-09-02', false union all select 'i2', timestamp '2026-09-01', false union all "
        "select 'i3', timestamp '2026-09-01', false union all select 'i3', timestamp '2026-09-02', true)"
    ).result()
    bq.query("create table conformed.conformed_items as select 'i1' as item_id union all select 'i2'").result()
    bq.query("create view core.clean_items as select * from conformed.conformed_items where item_id != 'i2'").result()
    quarantined = {"relation": "conformed_items", "row_key": "o|i2", "reason": "r", "expectation": "e", "gate": "conformed"}
    ops.append("quarantine.quarantined_rows", [quarantined | {"quarantined_at": datetime(2026, 9, 30, tzinfo=UTC)}], client=bq)
    if change:
        bq.query(change).result()
    assert rule.reconcile is not None
    assert rows(f"select left_value - right_value from ({rule.reconcile})", bq) == [(difference,)]
    # Core reads every row of a view without a `quarantine` rule, even if an earlier rule has left rows in quarantine.
    (rule,) = core_rules({"shop": SHOP}, quarantined=[])
    assert rows(f"select left_value - right_value from ({rule.reconcile})", bq) == [(without_rule,)]


VISITS: dict[str, Any] = {
    "description": "Visits",
    "primary_key": ["visit_id"],
    "event_time": "seen_at",
    "by_delivery": True,
    "columns": {
        "visit_id": {"type": "string", "description": "The visit"},
        "seen_at": {"type": "timestamp", "description": "When it was"},
    },
}


@pytest.mark.parametrize("lost", [False, True])
def test_the_source_decides_which_of_its_rows_a_run_sees(
    bq: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lost: bool
) -> None:
    """Events after the as-of time and events of a later load may be absent from the view. Any other event may not."""
    (tmp_path / "models" / "conformed" / "shared").mkdir(parents=True)
    (tmp_path / "models" / "conformed" / "shared" / "conformed_visits.sql").touch()
    monkeypatch.setenv("PLATFORM_DBT_DIR", str(tmp_path))
    settings.cache_clear()
    visits = Table.model_validate(VISITS)
    visits._name = "visits"
    (rule,) = core_rules({"shop": SHOP.model_copy(update={"tables": {"visits": visits}})}, quarantined=[])
    bq.query(
        """
        create table raw_shop.visits as
        select *, _loaded_at as _extracted_at, 'f' as _source_file_id, false as _is_deleted
        from (
            select
                'history' as visit_id, timestamp '2026-08-01' as seen_at, 'shop@2026-10-05T000000Z' as _batch_id,
                timestamp '2026-10-01' as _loaded_at
            union all
            select 'yesterday', timestamp '2026-09-30', 'shop@2026-10-01T000000Z', timestamp '2026-10-02'
            union all
            select 'after_midnight', timestamp '2026-10-01 00:30:00+00', 'shop@2026-10-01T000000Z', timestamp '2026-10-02'
            union all
            select 'late', timestamp '2026-09-30', 'shop@2026-10-02T000000Z', timestamp '2026-10-03'
        )
        """
    ).result()
    bq.query(
        "create table conformed.conformed_visits as select visit_id from unnest(['history', 'yesterday']) as visit_id"
    ).result()
    if lost:
        bq.query("delete from conformed.conformed_visits where visit_id = 'yesterday'").result()
    assert rule.reconcile is not None
    sides = execute(f"select left_value, right_value from ({rule.reconcile})", typed(VALUES), bq).result()
    assert [tuple(row.values()) for row in sides] == [(2, 1 if lost else 2)]
