"""The golden cases of the dbt models, computed by the recomputation: a case states its rows once, and tests both implementations."""

from __future__ import annotations

from inspect import unwrap

import pytest

from tests import recompute
from tests.recompute.golden import Golden, differences, golden_cases, world

_NO_USER = "it has a representative whom dim_users lacks; the recomputation calls such a person unknown"
_NO_FACILITY = "it has a facility that dim_facilities lacks; the recomputation calls it Unknown"
#: Models and cases that are not fed to the recomputation, each with the reason.
NOT_FED = {
    "dim_account_identity": "tests/recompute/test_identity.py computes its cases",
    "mart_account_identity": "its case gives matches; the accounts of a recomputed company are all in the CRM, so the table is empty",
    "fct_account_months": "its cases give the MRR of subscriptions and the history of accounts; the recomputation starts from their versions",
    "fct_order_items: order_lines_and_their_cost_in_the_reporting_currency": "the recomputation leaves out lines of unknown orders",
    "fct_revenue": "its cases give the MRR of subscriptions by month; the recomputation starts from the subscriptions",
    "fct_tickets": "its cases give tickets with their policies; the recomputation finds the policies itself",
    "mart_churn_risk": "its case gives scores; the recomputation starts from usage, tickets and revenue",
    "mart_churned_customers": "its case gives scores; the recomputation starts from usage, tickets and revenue",
    "mart_conversion_funnel: funnel_by_facility_rep_and_month": _NO_USER,
    "mart_customer_360: all_figures_of_an_account_in_one_row": "it gives flags without the times that they follow from",
    "mart_customer_health_scores": "its case gives the scores of several runs; the recomputation starts from usage, tickets and revenue",
    "mart_rep_activity_by_channel: rates_and_ranks_by_channel": _NO_USER,
    "mart_revenue_cohorts: cohorts_of_accounts_by_months_since": "an account has a month without the months after it",
    "mart_ticket_analytics: every_dimension_of_a_ticket": _NO_FACILITY,
    "mart_ticket_sla_compliance: compliance_by_facility_priority_and_month": _NO_FACILITY,
    "mart_weighted_pipeline_scenarios: pipeline_with_zero_and_missing_weights": _NO_USER,
}
MODELS = [name for name in recompute.__all__ if name.startswith(("dim_", "fct_", "mart_", "mtr_"))]
CASES = [
    case
    for model in MODELS
    if model not in NOT_FED
    for case in golden_cases(model)
    if str(case) not in NOT_FED and not case.is_special
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_recomputation_agrees_with_the_golden_case(case: Golden) -> None:
    # Without the cache by folder, which tests.recompute adds.
    compute = unwrap(getattr(recompute, case.model))
    assert not differences(case, compute(world(case)))


def test_nearly_every_model_is_fed() -> None:
    """A change of the harness must not leave models out unnoticed."""
    left_out = set(MODELS) - {case.model for case in CASES} - {name.partition(":")[0] for name in NOT_FED}
    # dim_date has no case. The other two have a watch list and rows in SQL.
    assert left_out <= {"dim_date", "dim_releases", "mart_release_impact"}
    assert NOT_FED.keys() <= {*MODELS, *(str(case) for model in MODELS for case in golden_cases(model))}
