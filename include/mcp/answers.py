"""Runs one query, and returns the rows with their definition, their freshness and the SQL.

Every statement of `ask` is a constant of this package. A caller's values reach SQL only as query parameters. Before a statement
runs, a dry run must confirm that it is a SELECT and reads published tables only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Annotated, Any, Generic, TypeVar

from mcp.server.mcpserver.exceptions import ToolError
from pydantic import BaseModel, Field, JsonValue

from include.manifest import PUBLISHED
from include.mcp.definition import Definition, definition_of
from include.settings import settings
from include.warehouse import Parameters, Row, client, execute

if TYPE_CHECKING:
    from google.cloud.bigquery import Client, QueryJob

ROW_CAP = 500
#: The most bytes that a query may be billed for, unless `BIGQUERY_MAXIMUM_BYTES_BILLED` is set.
BYTE_CAP = 1024**3
TIMEOUT_SECONDS = 60
#: The number of tries of a query whose table is published again while it runs.
ATTEMPTS = 3

RowT = TypeVar("RowT", bound=BaseModel)

Organization = Annotated[
    str | None, Field(description="Only this organization (tenant). Default: all organizations.", min_length=1, max_length=200)
]
RowLimit = Annotated[int, Field(ge=1, le=100)]


class Freshness(BaseModel):
    """The run that the rows come from."""

    as_of: datetime = Field(description="As-of time: the rows cover everything before this instant.")
    published_at: datetime = Field(description="When the table was published.")
    age_hours: float = Field(description="Hours from as_of to now.")
    run_id: str = Field(description="The pipeline run that built the table.")


class Query(BaseModel):
    """The query that ran."""

    sql: str = Field(description="The SQL that ran.")
    parameters: dict[str, JsonValue] = Field(description="The values of its @parameters.")
    job_id: str = Field(description="The BigQuery job.")
    bytes_processed: int = Field(description="Bytes that the query read.")
    maximum_bytes_billed: int = Field(description="The limit on billed bytes for the query.")


class Answer(BaseModel, Generic[RowT]):
    """Rows, with their definition, their freshness and the query that returned them."""

    rows: list[RowT]
    row_count: int = Field(description="Number of rows in this answer.")
    is_truncated: bool = Field(
        description=f"True if more than {ROW_CAP} rows matched and the rest is left out. Use more filters."
    )
    definition: Definition
    freshness: Freshness
    query: Query


@dataclass(frozen=True)
class Question(Generic[RowT]):
    """One statement on one published table, and the type of its answer."""

    table: str
    sql: str
    answer: type[Answer[RowT]]


def ask(question: Question[RowT], parameters: Callable[[Freshness], Parameters]) -> Answer[RowT]:
    """The answer to a question. All of its parts come from one publication of the table.

    Args:
        question: the statement to run.
        parameters: returns the values of the query parameters for the freshness of the table.

    Raises:
        ToolError: the table is not published or is being published, or the warehouse refuses. The message is for the caller.
    """
    cap = settings().maximum_bytes_billed or BYTE_CAP
    with plain_errors(), client(tool="mcp") as bq:
        for _ in range(ATTEMPTS):
            freshness = freshness_of(bq, question.table, cap)
            values = parameters(freshness)
            check_reads_only(bq, question.sql, values, cap)
            selected = _select(bq, question.sql.strip(), values, cap)
            if freshness_of(bq, question.table, cap).published_at == freshness.published_at:
                return question.answer.model_validate(
                    {
                        "rows": selected.rows[:ROW_CAP],
                        "row_count": min(len(selected.rows), ROW_CAP),
                        "is_truncated": len(selected.rows) > ROW_CAP,
                        "definition": definition_of(question.table, selected.columns),
                        "freshness": freshness,
                        "query": selected.query,
                    }
                )
    raise ToolError(f"{question.table} is published repeatedly at the moment: try again later.")


_FRESHNESS = """
select as_of, published_at, run_id, state
from ops.publications
where dataset = @dataset and table_name = @table_name and state in ('publishing', 'published', 'dropped')
qualify row_number() over (order by if(state = 'publishing', 0, 1), published_at desc) = 1
"""


def freshness_of(bq: Client, table: str, cap: int) -> Freshness:
    """The publication that a table shows.

    Raises:
        ToolError: the table is not published or is being published.
    """
    dataset, _, name = table.partition(".")
    values = {"dataset": dataset, "table_name": name}
    rows = _select(bq, _FRESHNESS, values, cap).rows
    state = rows[0]["state"] if rows else "dropped"
    if state == "dropped":
        raise ToolError(f"{table} is not published: run the pipeline first.")
    if state == "publishing":
        raise ToolError(f"{table} is being published at this moment: try again in a minute.")
    age = datetime.now(UTC) - rows[0]["as_of"]
    return Freshness(age_hours=round(age.total_seconds() / 3600, 1), **rows[0])


@dataclass(frozen=True)
class _Selected:
    columns: list[str]
    rows: list[Row]
    query: Query


def _select(bq: Client, sql: str, parameters: Parameters, cap: int) -> _Selected:
    """The rows of a statement, at most one more than the cap, and the query."""
    job = _run(bq, sql, parameters, cap, max_results=ROW_CAP + 1)
    result = job.result(max_results=ROW_CAP + 1, timeout=TIMEOUT_SECONDS)
    query = Query(
        sql=job.query,
        parameters={name: value.isoformat() if isinstance(value, date) else value for name, value in parameters.items()},
        job_id=job.job_id,
        bytes_processed=job.total_bytes_processed or 0,
        maximum_bytes_billed=cap,
    )
    return _Selected([field.name for field in result.schema], [dict(row.items()) for row in result], query)


def check_reads_only(bq: Client, sql: str, parameters: Parameters, cap: int) -> None:
    """Let a dry run confirm that a statement is a SELECT and reads published tables only.

    Raises:
        ToolError: it is another statement, or it reads other tables.
    """
    plan = _run(bq, sql, parameters, cap, dry_run=True)
    read = {table.dataset_id for table in plan.referenced_tables}
    if plan.statement_type != "SELECT" or not read <= set(PUBLISHED.values()):
        raise ToolError(f"Only a SELECT on {' and '.join(sorted(PUBLISHED.values()))} may run here.")


def _run(bq: Client, sql: str, parameters: Parameters, cap: int, **options: Any) -> QueryJob:
    """Run a statement within the limits for a waiting caller."""
    return execute(sql, parameters, bq, TIMEOUT_SECONDS, timeout=TIMEOUT_SECONDS, maximum_bytes_billed=cap, **options)


@contextmanager
def plain_errors() -> Iterator[None]:
    """Turns errors of the warehouse or the network into one line for the caller."""
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
