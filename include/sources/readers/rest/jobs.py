"""Jobs of an API that collect the records in the background: start, wait, fetch the results as CSV, delete."""

from __future__ import annotations

import csv
import io
import logging
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from include.sources import placeholders
from include.sources.readers.pieces import ReadError

if TYPE_CHECKING:
    import requests

    from include.sources.readers.rest.client import ApiClient
    from include.sources.rest_requests import Job, RestRequest

log = logging.getLogger(__name__)


def records_of_job(client: ApiClient, request: RestRequest, path: str, body: dict[str, Any]) -> Iterator[dict[str, str | None]]:
    """Start a job, wait for it, and yield the records of its results. An empty field is NULL. The job is deleted, also after a failure.

    Raises:
        ReadError: the job has failed or takes too long, or its results are not complete.
    """
    from include.sources.readers.rest.paging import paginator_of

    job = request.job
    if job is None:
        raise TypeError("the request has no job")
    started = client.call("POST", path, json=body).json()
    number = placeholders.within(started, job.id_path)
    if number is None:
        raise ReadError(f"the answer to the start of a job has nothing at `{job.id_path}`")
    place = f"{path}/{quote(str(number), safe='')}"
    try:
        _wait(client, job, place, str(number), started)
        size = request.page_size
        params = {size.param: size.value} if size is not None else {}
        for response in client.responses(f"{place}/{job.results}", params, paginator_of(request)):
            yield from _records(response, job)
    finally:
        try:
            client.call("DELETE", place)
        except ReadError as error:
            log.warning("the job %s could not be deleted: %s", number, error)


def _wait(client: ApiClient, job: Job, place: str, number: str, state: Any) -> None:
    ends = time.monotonic() + job.timeout_seconds
    while (word := placeholders.within(state, job.state_path)) not in job.done:
        if word in job.failed:
            raise ReadError(
                f"the job {number} of the API has ended as {word}: {placeholders.within(state, job.error_path) or 'no reason given'}"
            )
        if time.monotonic() > ends:
            raise ReadError(
                f"the job {number} of the API is still {word} after {job.timeout_seconds:.0f} s (job.timeout_seconds)"
            )
        time.sleep(job.poll_seconds)
        state = client.call("GET", place).json()


def _records(response: requests.Response, job: Job) -> Iterator[dict[str, str | None]]:
    response.encoding = "utf-8"
    rows = csv.DictReader(io.StringIO(response.text, newline=""), strict=True)
    count = 0
    try:
        for count, row in enumerate(rows, start=1):
            if None in row or None in row.values():
                raise ReadError(f"record {count} of the results of a job has not as many fields as their header")
            yield {name: value or None for name, value in row.items()}
    except csv.Error as error:
        raise ReadError(f"the results of a job are no CSV after record {count}: {error}") from None
    said = response.headers.get(job.count_header) if job.count_header else None
    if said is not None and int(said) != count:
        raise ReadError(f"the API says in {job.count_header} that a page of results has {said} records, but sent {count}")
