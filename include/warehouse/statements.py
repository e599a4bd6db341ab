"""Runs statements that write, and retries them if BigQuery refuses them because of concurrent writers of the same table."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from google.cloud.bigquery import Client, QueryJob, QueryJobConfig

#: Seconds for which a statement is retried. The random wait is up to one second first and doubles with each attempt.
_PATIENCE = 120.0
_LONGEST_WAIT = 20.0
#: BigQuery's messages for two writers at once, a full queue of writers, and too many changes within seconds.
_CONTENDED = (
    "could not serialize access",
    "concurrent update",
    "too many dml statements outstanding",
    "exceeded rate limits",
)
#: Errors inside BigQuery, after which its own client also retries a query.
_REASONS = frozenset({"rateLimitExceeded", "jobRateLimitExceeded", "backendError", "jobBackendError", "jobInternalError"})


def execute(bq: Client, sql: str, config: QueryJobConfig | None = None, patience: float | None = None) -> QueryJob:
    """Run a statement that writes, and wait for its end.

    BigQuery may refuse a statement because others write the same table. Such a statement has changed nothing, so it is retried.

    Args:
        bq: a BigQuery client.
        sql: the statement.
        config: its parameters.
        patience: seconds for which it is retried; by default two minutes, and ten minutes if the warehouse cannot be reached.

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
    """Whether a statement was refused because of concurrent writers or by an error inside BigQuery, so that it may be retried."""
    text = str(error).lower()
    details = getattr(error, "errors", None) or ()
    return any(words in text for words in _CONTENDED) or any(
        isinstance(detail, dict) and detail.get("reason") in _REASONS for detail in details
    )
