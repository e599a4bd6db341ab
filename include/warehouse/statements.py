"""Runs statements that write, and tries again when BigQuery could not put two writers of a table in an order."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from google.cloud.bigquery import Client, QueryJob, QueryJobConfig

#: Seconds for which a statement is tried: again after up to one, then up to twice as long each time, at random.
_PATIENCE = 120.0
_LONGEST_WAIT = 20.0
#: What BigQuery says of two writers at once, of a full queue of writers, and of too many changes within seconds.
_CONTENDED = (
    "could not serialize access",
    "concurrent update",
    "too many dml statements outstanding",
    "exceeded rate limits",
)
#: Errors of BigQuery's own, after which its client runs a query again too.
_REASONS = frozenset({"rateLimitExceeded", "jobRateLimitExceeded", "backendError", "jobBackendError", "jobInternalError"})


def execute(bq: Client, sql: str, config: QueryJobConfig | None = None, patience: float | None = None) -> QueryJob:
    """Run a statement that writes to its end.

    A statement that BigQuery refuses because others write the same table has changed nothing, so it is run again.

    Args:
        bq: a BigQuery client.
        sql: the statement.
        config: its parameters.
        patience: seconds for which it is tried, also when the warehouse cannot be reached; by default two minutes, and ten.

    Returns:
        The job, done.

    Raises:
        google.api_core.exceptions.GoogleAPICallError: the statement is wrong, or was refused for longer than that.
    """

    from google.api_core.exceptions import RetryError
    from google.api_core.retry import Retry
    from google.cloud.bigquery import DEFAULT_RETRY

    reaching = DEFAULT_RETRY if patience is None else DEFAULT_RETRY.with_timeout(patience)
    again = Retry(_may_run_again, initial=1.0, maximum=_LONGEST_WAIT, multiplier=2.0, timeout=patience or _PATIENCE)

    def once() -> QueryJob:
        job = bq.query(sql, job_config=config, retry=reaching, job_retry=None)
        job.result(retry=reaching)
        return job

    try:
        done: QueryJob = again(once)()
    except RetryError as error:
        raise error.cause or error from None
    return done


def _may_run_again(error: BaseException) -> bool:
    """Whether a statement was refused because others write the same table, so that it may be run again."""
    text = str(error).lower()
    details = getattr(error, "errors", None) or ()
    return any(words in text for words in _CONTENDED) or any(
        isinstance(detail, dict) and detail.get("reason") in _REASONS for detail in details
    )
