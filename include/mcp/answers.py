"""Asks the warehouse one question, and says beside the rows what they mean, how fresh they are and which SQL gave them.

Every statement is a constant of this package; what a caller chooses reaches it as a query parameter only. Before one runs,
the warehouse itself says, in a dry run, that it is a SELECT and reads published tables only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Annotated, Any, Generic, TypeVar

from mcp.server.mcpserver.exceptions import ToolError
from pydantic import BaseModel, Field, JsonValue

from include.catalog.nodes import PUBLISHED
from include.mcp.definition import Definition, definition_of
from include.settings import settings
from include.warehouse import client

if TYPE_CHECKING:
    from google.cloud.bigquery import Client, QueryJob

ROW_CAP = 500
#: The most bytes that a query may be billed for, unless `BIGQUERY_MAXIMUM_BYTES_BILLED` says otherwise.
BYTE_CAP = 1024**3
TIMEOUT_SECONDS = 60
#: How often a question is asked when its table is published anew meanwhile.
ATTEMPTS = 3

#: Name → GoogleSQL type and value; a list is an array of that type.
Parameters = Mapping[str, tuple[str, Any]]

RowT = TypeVar("RowT", bound=BaseModel)

Organization = Annotated[
    str | None, Field(description="Only this organization (tenant); left out: every one.", min_length=1, max_length=200)
]
RowLimit = Annotated[int, Field(ge=1, le=100)]


class Freshness(BaseModel):
    """Which night the rows show."""

    as_of: datetime = Field(description="The rows show what happened before this instant.")
    published_at: datetime = Field(description="When that night was published.")
    age_hours: float = Field(description="Hours from as_of to now.")
    run_id: str = Field(description="The pipeline run that built it.")


class Query(BaseModel):
    """What ran."""

    sql: str = Field(description="The SQL that ran.")
    parameters: dict[str, JsonValue] = Field(description="The values of its @parameters.")
    job_id: str = Field(description="The BigQuery job.")
    bytes_processed: int = Field(description="Bytes that it read.")
    maximum_bytes_billed: int = Field(description="The byte cap that it ran under.")


class Answer(BaseModel, Generic[RowT]):
    """Rows, with what is needed to understand, trust and repeat them."""

    rows: list[RowT]
    row_count: int = Field(description="How many rows there are here.")
    is_truncated: bool = Field(description=f"Whether rows beyond {ROW_CAP} were left out: narrow the question.")
    definition: Definition
    freshness: Freshness
    query: Query


@dataclass(frozen=True)
class Question(Generic[RowT]):
    """One statement on one published table, and the answer that its rows make."""

    table: str
    sql: str
    answer: type[Answer[RowT]]


def ask(question: Question[RowT], parameters: Callable[[Freshness], Parameters]) -> Answer[RowT]:
    """The answer to a question, all of it from one night.

    Args:
        question: which statement.
        parameters: the values of its parameters, given the night that it is asked of.

    Raises:
        ToolError: the table is not published or being replaced, or the warehouse refuses; in words for who asked.
    """
    cap = settings().maximum_bytes_billed or BYTE_CAP
    with _explained(), client(tool="mcp") as bq:
        for _ in range(ATTEMPTS):
            night = _freshness(bq, question.table, cap)
            values = parameters(night)
            check_reads_only(bq, question.sql, values, cap)
            selected = _select(bq, question.sql.strip(), values, cap)
            if _freshness(bq, question.table, cap).published_at == night.published_at:
                return question.answer.model_validate(
                    {
                        "rows": selected.rows[:ROW_CAP],
                        "row_count": min(len(selected.rows), ROW_CAP),
                        "is_truncated": len(selected.rows) > ROW_CAP,
                        "definition": definition_of(question.table, selected.columns),
                        "freshness": night,
                        "query": selected.query,
                    }
                )
    raise ToolError(f"{question.table} is being published again and again: ask later.")


_FRESHNESS = """
select as_of, published_at, run_id, state
from ops.publications
where dataset = @dataset and table_name = @table_name and state in ('publishing', 'published', 'dropped')
qualify row_number() over (order by if(state = 'publishing', 0, 1), published_at desc) = 1
"""


def _freshness(bq: Client, table: str, cap: int) -> Freshness:
    dataset, _, name = table.partition(".")
    values = {"dataset": ("STRING", dataset), "table_name": ("STRING", name)}
    rows = _select(bq, _FRESHNESS, values, cap).rows
    state = rows[0]["state"] if rows else "dropped"
    if state == "dropped":
        raise ToolError(f"{table} is not published: the pipeline has to run first.")
    if state == "publishing":
        raise ToolError(f"{table} is being published at this moment: ask again in a minute.")
    age = datetime.now(UTC) - rows[0]["as_of"]
    return Freshness(age_hours=round(age.total_seconds() / 3600, 1), **rows[0])


@dataclass(frozen=True)
class _Selected:
    columns: list[str]
    rows: list[dict[str, Any]]
    query: Query


def _select(bq: Client, sql: str, parameters: Parameters, cap: int) -> _Selected:
    """The rows of a statement, one more than the cap at most, and what ran."""
    job = _run(bq, sql, parameters, cap)
    result = job.result(max_results=ROW_CAP + 1, timeout=TIMEOUT_SECONDS, **_patience())
    query = Query(
        sql=job.query,
        parameters={name: value.isoformat() if isinstance(value, date) else value for name, (_, value) in parameters.items()},
        job_id=job.job_id,
        bytes_processed=job.total_bytes_processed or 0,
        maximum_bytes_billed=cap,
    )
    return _Selected([field.name for field in result.schema], [dict(row.items()) for row in result], query)


def check_reads_only(bq: Client, sql: str, parameters: Parameters, cap: int) -> None:
    """Have the warehouse itself say that a statement only reads, and only what is published.

    Raises:
        ToolError: it does not.
    """
    plan = _run(bq, sql, parameters, cap, dry_run=True)
    read = {table.dataset_id for table in plan.referenced_tables}
    if plan.statement_type != "SELECT" or not read <= set(PUBLISHED.values()):
        raise ToolError(f"Only a SELECT on {' and '.join(sorted(PUBLISHED.values()))} may run here.")


def _run(bq: Client, sql: str, parameters: Parameters, cap: int, dry_run: bool = False) -> QueryJob:
    from google.cloud import bigquery

    bound = [
        bigquery.ArrayQueryParameter(name, kind, value)
        if isinstance(value, list)
        else bigquery.ScalarQueryParameter(name, kind, value)
        for name, (kind, value) in parameters.items()
    ]
    config = bigquery.QueryJobConfig(
        query_parameters=bound, maximum_bytes_billed=cap, job_timeout_ms=int(TIMEOUT_SECONDS * 1000), dry_run=dry_run
    )
    return bq.query(sql, config, timeout=TIMEOUT_SECONDS, **_patience())


def _patience() -> dict[str, Any]:
    """Who asks is waiting: what fails is tried again for that long, not for ten minutes."""
    from google.cloud import bigquery

    return {"retry": bigquery.DEFAULT_RETRY.with_timeout(TIMEOUT_SECONDS), "job_retry": None}


@contextmanager
def _explained() -> Iterator[None]:
    """What the warehouse or the way to it refuses, in one line for who asked."""
    from concurrent.futures import TimeoutError as Timeout

    from google.api_core.exceptions import GoogleAPICallError, RetryError
    from google.auth.exceptions import GoogleAuthError
    from requests.exceptions import RequestException

    try:
        yield
    except GoogleAPICallError as error:
        reasons = [str(reason["message"]) for reason in error.errors if isinstance(reason, dict) and reason.get("message")]
        raise ToolError(f"The warehouse refused: {_first_line((reasons or [str(error)])[0])}") from error
    except GoogleAuthError as error:
        raise ToolError(f"No access to the warehouse: {_first_line(str(error))}") from error
    except (RetryError, RequestException, Timeout) as error:
        raise ToolError(f"The warehouse did not answer within {TIMEOUT_SECONDS} s.") from error


def _first_line(text: str) -> str:
    return text.strip().splitlines()[0] if text.strip() else "no reason was given"
