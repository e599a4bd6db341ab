"""
### Decide on accounts of two systems

Records that two accounts of different systems are one customer, or two: `ops.account_decisions`. The next `transform` applies the decision.
`marts.mart_account_identity` lists the accounts to decide on. docs/identity.md explains the rules.

| | |
|---|---|
| **Starts** | by hand only |
| **Parameters** | `decision`: same, different, or withdraw (the rules decide again) · `account`, `other`: their ids · `organization`: needed if several have both · `by`: who decides; empty for the user who starts the run |
| **Upstream** | the last `transform`, which built `conformed.conformed_accounts` |
| **Downstream** | `ops.account_decisions` |

**On call.** A refused decision fails at once and is not retried. Its message says why. A repetition changes nothing.
"""

from __future__ import annotations

from airflow.sdk import DAG, Param, get_current_context, task

from include.orchestration import default_args, record_success, tier_tag

TIER = "medium"

with DAG(
    dag_id="account_identity",
    description="Records that two accounts of different systems are one customer, or two.",
    doc_md=__doc__,
    schedule=None,
    catchup=False,
    max_active_runs=1,
    default_args=default_args("data_platform", TIER),
    params={
        "decision": Param("same", enum=["same", "different", "withdraw"], title="Decision", description="What the accounts are."),
        "account": Param(None, type=["null", "string"], title="Account", description="account_id of one account."),
        "other": Param(None, type=["null", "string"], title="Other account", description="account_id of the other account."),
        "organization": Param(
            None, type=["null", "string"], title="Organization", description="Its id. Empty: the only one that has both."
        ),
        "by": Param(None, type=["null", "string"], title="By", description="Who decides. Empty: the user who starts the run."),
    },
    tags=["identity", tier_tag(TIER)],
):

    @task(on_success_callback=record_success)
    def record_decision() -> str:
        """Record the decision. Returns what counts now."""
        from airflow.sdk.exceptions import AirflowFailException

        from include.identity import IdentityError, decide
        from include.ops import ensure_tables

        context = get_current_context()
        params, user = context["params"], getattr(context["dag_run"], "triggering_user_name", None)
        ensure_tables()
        try:
            return decide(
                params["decision"],
                params["account"] or "",
                params["other"] or "",
                by=params["by"] or user or "",
                organization=params["organization"] or None,
            )
        except IdentityError as error:
            raise AirflowFailException(str(error)) from error

    record_decision()
