"""The embedded warehouse answers only its own clients, and its engine cannot reach other files."""

from __future__ import annotations

import gzip
import io
import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from google.api_core.exceptions import BadRequest, Forbidden
from google.cloud.bigquery import Client, LoadJobConfig, SchemaField

from include.local.warehouse import environment
from tests.warehouse import connected, free_port, rows, running

PROJECT = "/bigquery/v2/projects/local"
ASK = json.dumps({"query": "select 1", "useLegacySql": False}).encode()


@pytest.fixture
def bq(monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    with connected(monkeypatch) as client:
        client.create_dataset("access", exists_ok=True)
        yield client
        client.delete_dataset("access", delete_contents=True)


def token() -> str:
    return str(json.loads((running().home / "credentials.json").read_text())["token"])


def status(path: str, body: bytes | None = None, method: str | None = None, **headers: str) -> int:
    """The HTTP status of one request, made without Google's client."""
    request = urllib.request.Request(f"{running().url}{path}", data=body, method=method)
    for name, value in headers.items():
        request.add_header(name.replace("_", "-"), value)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def mine(**headers: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token()}", "Content_Type": "application/json", **headers}


def test_a_client_with_the_token_is_answered() -> None:
    assert status(f"{PROJECT}/queries", ASK, **mine()) == 200
    assert status(f"{PROJECT}/queries", ASK, **mine(Host=f"localhost:{running().port}")) == 200
    assert status(f"{PROJECT}/queries", ASK, **mine(Content_Type="application/json; charset=UTF-8")) == 200


@pytest.mark.parametrize("host", ["attacker.example", "attacker.example:9050", "127.0.0.1", "127.0.0.1.nip.io:9050"])
def test_another_host_is_refused(host: str) -> None:
    """A name that an attacker's page has rebound to 127.0.0.1 is the page's own origin for the browser."""
    assert status(f"{PROJECT}/queries", ASK, **mine(Host=host)) == 421
    assert status("/healthz", Host=host) == 421


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=a", "x/y"])
def test_a_body_that_is_not_json_is_refused(kind: str) -> None:
    assert status(f"{PROJECT}/queries", ASK, **mine(Content_Type=kind)) == 415
    assert status("/upload/bigquery/v2/projects/local/jobs?uploadType=resumable", ASK, **mine(Content_Type=kind)) == 415


@pytest.mark.parametrize("value", ["", "Bearer", "Bearer local", "Bearer None", "Basic bG9jYWw6"])
def test_a_request_without_the_token_is_refused(value: str) -> None:
    headers = {"Authorization": value} if value else {}
    assert status(f"{PROJECT}/queries", ASK, Content_Type="application/json", **headers) == 403
    assert status(f"{PROJECT}/datasets", **headers) == 403
    assert status("/metrics", **headers) == 403
    assert status("/healthz", **headers) == 200


def test_a_client_with_another_token_is_refused_at_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """After a 401, Google's client asks Google for a new token and repeats that for ten minutes."""
    for name, value in environment(tmp_path, running().port).items():
        monkeypatch.setenv(name, value)
    with pytest.raises(Forbidden, match=r"credentials\.json"):
        Client(project="local").query("select 1").result()


@pytest.mark.parametrize("header", [{"Origin": "https://attacker.example"}, {"Origin": "null"}, {"Sec_Fetch_Site": "cross-site"}])
def test_a_web_page_is_refused(header: dict[str, str]) -> None:
    assert status(f"{PROJECT}/queries", ASK, **mine(**header)) == 403
    assert status(f"{PROJECT}/queries", method="OPTIONS", **header) == 403


def test_the_token_is_random_private_and_kept(tmp_path: Path) -> None:
    port = free_port()
    found = [Path(environment(tmp_path / home, port)["GOOGLE_APPLICATION_CREDENTIALS"]) for home in ("one", "one", "two")]
    tokens = [json.loads(path.read_text())["token"] for path in found]
    assert len(tokens[0]) >= 32
    assert tokens[0] == tokens[1] != tokens[2]
    assert found[0].stat().st_mode & 0o777 == 0o600
    assert [path.name for path in (tmp_path / "one").iterdir()] == ["credentials.json"]


def test_the_token_of_an_earlier_version_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "credentials.json"
    path.write_text('{"token": "local"}')
    environment(tmp_path, free_port())
    assert len(json.loads(path.read_text())["token"]) >= 32
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "statement",
    [
        "copy (select 1) to '{file}'",
        "select 1; copy (select 1) to '{file}'; select 2",
        "copy access.t from '{file}'",
        "export data options (uri = '{file}', format = 'CSV') as select 1",
        "select * from read_csv('{file}')",
        "select * from read_text('{file}')",
        "select * from read_parquet('{file}')",
        "select * from read_json('{file}')",
        "select * from glob('{folder}/*')",
        "select * from `{file}`",
        "create table access.t as select * from '{file}'",
        "attach '{folder}/other.duckdb' as other",
        "install httpfs",
        "load httpfs",
        "set enable_external_access = true",
        "execute immediate \"copy (select 1) to '{file}'\"",
    ],
)
def test_statements_reach_no_file(bq: Client, tmp_path: Path, statement: str) -> None:
    file = tmp_path / "secret.csv"
    file.write_text("secret\n1\n")
    with pytest.raises(BadRequest):
        bq.query(statement.format(file=file, folder=tmp_path)).result()
    assert [path.name for path in tmp_path.iterdir()] == ["secret.csv"]
    assert file.read_text() == "secret\n1\n"


def test_the_engine_itself_is_locked(bq: Client, tmp_path: Path) -> None:
    """Even if a statement passes the check of its text, the engine opens no file and changes no setting."""
    import subprocess

    code = """
import asyncio, sys
sys.path.insert(0, "include/local/warehouse")
from access import restrict
restrict()
from bqemulator.config import PersistenceMode, Settings
from bqemulator.storage.engine import DuckDBEngine
home = sys.argv[1]
engine = DuckDBEngine(Settings(data_dir=home, upload_staging_dir=home + "/uploads", persistence_mode=PersistenceMode.PERSISTENT))
asyncio.run(engine.start())
secret = ["a variable of the process"]
for statement in sys.stdin.read().splitlines():
    try:
        print(engine.execute(statement).fetchall())
    except Exception as error:
        print(type(error).__name__, str(error).splitlines()[0])
"""
    statements = [
        f"copy (select 1) to '{tmp_path}/out.csv'",
        "select * from read_text('/etc/hostname')",
        f"attach '{tmp_path}/other.duckdb' as other",
        "install httpfs",
        "set enable_external_access = true",
        "set allowed_directories = ['/']",
        "select * from secret",
    ]
    python = Path(".venv-warehouse/bin/python").absolute()
    done = subprocess.run(
        [python, "-c", code, str(tmp_path / "home")], input="\n".join(statements), capture_output=True, text=True, check=True
    )
    kinds = [line.split()[0] for line in done.stdout.splitlines()[-len(statements) :]]
    refused = ["PermissionException"] * 4 + ["InvalidInputException"] * 2 + ["CatalogException"]
    assert kinds == refused, done.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["home"]


def test_load_jobs_take_uploads_only(bq: Client, tmp_path: Path) -> None:
    file = tmp_path / "secret.csv"
    file.write_text("1\n")
    with pytest.raises(BadRequest, match="uploaded files only"):
        bq.load_table_from_uri(str(file), "access.t", job_config=LoadJobConfig(source_format="CSV", autodetect=True)).result()
    bq.query("create table access.t as select 1 as x").result()
    with pytest.raises(BadRequest, match="uploaded files only"):
        bq.extract_table("access.t", f"file://{tmp_path}/out.csv").result()
    assert [path.name for path in tmp_path.iterdir()] == ["secret.csv"]


def test_an_upload_may_be_gzipped_and_is_removed(bq: Client) -> None:
    config = LoadJobConfig(source_format="NEWLINE_DELIMITED_JSON", schema=[SchemaField("x", "INT64")])
    for body in (b'{"x": 7}\n{"x": 8}\n', gzip.compress(b'{"x": 20}\n')):
        bq.load_table_from_file(io.BytesIO(body), "access.loaded", job_config=config).result()
    assert rows("select sum(x) from access.loaded", bq) == [(35,)]
    assert list((running().home / "uploads").iterdir()) == []
