"""Runs statements, and retries them if BigQuery refuses them because of concurrent writers of the same table."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from include.warehouse.client import client as new_client

if TYPE_CHECKING:
    from google.cloud.bigquery import ArrayQueryParameter, Client, QueryJob, ScalarQueryParameter

Row = dict[str, Any]
#: Name → value of the parameters of a statement; see `bind` for their types.
Parameters = Mapping[str, Any]

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
# A bool is an int and a datetime is a date, so the order matters.
_TYPES: tuple[tuple[type, str], ...] = (
    (bool, "BOOL"),
    (int, "INT64"),
    (float, "FLOAT64"),
    (Decimal, "NUMERIC"),
    (str, "STRING"),
    (datetime, "TIMESTAMP"),
    (date, "DATE"),
)


def rows(
    sql: str, parameters: Parameters | None = None, client: Client | None = None, patience: float | None = None, **labels: str
) -> list[Row]:
    """Run a query, and return its rows; see `execute`."""
    return [dict(row.items()) for row in execute(sql, parameters, client or new_client(**labels), patience).result()]


def execute(
    sql: str,
    parameters: Parameters | None = None,
    client: Client | None = None,
    patience: float | None = None,
    *,
    timeout: float | None = None,
    maximum_bytes_billed: int | None = None,
    max_results: int | None = None,
    dry_run: bool = False,
    **labels: str,
) -> QueryJob:
    """Run a statement, and wait for its end.

    BigQuery may refuse a statement because others write the same table. Such a statement has changed nothing, so it is retried.

    Args:
        sql: the statement.
        parameters: the values of its parameters.
        client: a BigQuery client; one is made if not given.
        patience: seconds for which it is retried; by default two minutes, and ten minutes if the warehouse cannot be reached.
        timeout: seconds after which BigQuery ends the job, and after which a request ends; by default no limit.
        maximum_bytes_billed: the most bytes that it may be billed for; by default the client's limit.
        max_results: the most rows that the caller reads. They then come with the answer that the statement has ended.
        dry_run: only check the statement. The job then has the type of the statement and the tables that it reads.
        labels: the labels of the job, if no client is given.

    Returns:
        The job, done.

    Raises:
        google.api_core.exceptions.GoogleAPICallError: the statement is wrong, or was refused for longer than that.
        concurrent.futures.TimeoutError: it did not end before `timeout`.
    """
    from google.api_core.exceptions import RetryError
    from google.api_core.retry import Retry
    from google.cloud.bigquery import DEFAULT_RETRY, QueryJobConfig

    bq = client or new_client(**labels)
    config = QueryJobConfig(query_parameters=bind(parameters or {}), dry_run=dry_run)
    # A setting of None would replace the client's default.
    if maximum_bytes_billed is not None:
        config.maximum_bytes_billed = maximum_bytes_billed
    if timeout is not None:
        config.job_timeout_ms = int(timeout * 1000)
    requests: dict[str, Any] = {} if timeout is None else {"timeout": timeout}
    requests["retry"] = DEFAULT_RETRY if patience is None else DEFAULT_RETRY.with_timeout(patience)
    again = Retry(_may_run_again, initial=1.0, maximum=_LONGEST_WAIT, multiplier=2.0, timeout=patience or _PATIENCE)

    def once() -> QueryJob:
        job = bq.query(sql, config, job_retry=None, **requests)
        job.result(max_results=max_results, **requests)
        return job

    try:
        done: QueryJob = again(once)()
    except RetryError as error:
        raise error.cause or error from None
    return done


def bind(parameters: Parameters) -> list[ScalarQueryParameter | ArrayQueryParameter]:
    """The parameters for a BigQuery client. A value's type says the type of its parameter.

    None is a NULL of type STRING, and an empty list is an empty array of STRING: SQL casts it if it needs another type.

    Raises:
        TypeError: a value has a type that no parameter has.
    """
    from google.cloud import bigquery

    return [
        bigquery.ArrayQueryParameter(name, _type(name, next(iter(value), None)), value)
        if isinstance(value, list)
        else bigquery.ScalarQueryParameter(name, _type(name, value), value)
        for name, value in parameters.items()
    ]


def _type(name: str, value: Any) -> str:
    if value is None:
        return "STRING"
    found = next((kind for known, kind in _TYPES if isinstance(value, known)), None)
    if found is None:
        known = ", ".join(known.__name__ for known, _ in _TYPES)
        raise TypeError(f"@{name} is a {type(value).__name__}: give one of {known}, None, or a list of them.")
    return found


def _may_run_again(error: BaseException) -> bool:
    """Whether a statement was refused because of concurrent writers or by an error inside BigQuery, so that it may be retried."""
    text = str(error).lower()
    details = getattr(error, "errors", None) or ()
    return any(words in text for words in _CONTENDED) or any(
        isinstance(detail, dict) and detail.get("reason") in _REASONS for detail in details
    )
