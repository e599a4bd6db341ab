"""Access to the embedded warehouse: which requests it answers, and which files its engine can reach.

It listens on loopback, where every program of the machine and every page in the user's browser can send requests. It
answers only requests that name it as their host and carry its token, and accepts statements as JSON only. DuckDB has
functions that read and write any file. Here it can reach its own database and the uploads of load jobs only.
"""

import gzip
import hmac
import json
import shutil
from pathlib import Path
from typing import Any

from bqemulator import server
from bqemulator.api.routes import upload
from bqemulator.domain.errors import InvalidQueryError
from bqemulator.jobs import executor
from bqemulator.storage.engine import DuckDBEngine

#: Answered without a token, so that a probe can distinguish a starting warehouse from a missing one.
_PROBES = frozenset({"/healthz", "/readyz"})
_UPLOADS = "/upload/bigquery/v2/"
#: Content types of google-cloud-bigquery: a job with its file in one request; the parts of a resumable upload.
_UPLOAD_TYPES = {
    "POST": frozenset({"application/json", "multipart/related"}),
    "PUT": frozenset({"*/*", "application/octet-stream"}),
}
_JSON = frozenset({"application/json"})


class Guard:
    """ASGI middleware in front of the warehouse: refuses requests that are not from a client of this warehouse."""

    def __init__(self, app: Any, token: str, port: int) -> None:
        self._app = app
        self._bearer = f"Bearer {token}".encode()
        self._hosts = {f"{name}:{port}".encode() for name in ("127.0.0.1", "localhost", "[::1]")}

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        refusal = self._refusal(scope)
        if refusal is None:
            await self._app(scope, receive, send)
            return
        code, reason, message = refusal
        error = {"code": code, "message": message, "errors": [{"reason": reason, "message": message, "domain": "global"}]}
        headers = [(b"content-type", b"application/json; charset=UTF-8"), (b"connection", b"close")]
        await send({"type": "http.response.start", "status": code, "headers": headers})
        await send({"type": "http.response.body", "body": json.dumps({"error": error}).encode()})

    def _refusal(self, scope: Any) -> tuple[int, str, str] | None:
        """Why the request is refused (HTTP code, reason, sentence), or None."""
        found: dict[bytes, list[bytes]] = {}
        for name, value in scope["headers"]:
            found.setdefault(name.lower(), []).append(value.strip())
        if [host.lower() for host in found.get(b"host", [])] not in [[host] for host in self._hosts]:
            return 421, "invalid", "The local warehouse answers at 127.0.0.1 and localhost only: the request names another host."
        if b"origin" in found or b"sec-fetch-site" in found:
            return 403, "forbidden", "The local warehouse does not answer web pages."
        if scope["path"] in _PROBES:
            return None
        tokens = found.get(b"authorization", [])
        if len(tokens) != 1 or not hmac.compare_digest(tokens[0], self._bearer):
            # Not 401: Google's clients would then ask Google for a new token, for ten minutes.
            return 403, "forbidden", "The request lacks the local warehouse's token: see credentials.json in its folder."
        has_body = b"transfer-encoding" in found or found.get(b"content-length", [b"0"]) != [b"0"]
        if has_body and _content_type(found) not in _accepted(scope["path"], scope["method"]):
            return 415, "invalid", "The local warehouse takes JSON only: set Content-Type: application/json."
        return None


def _content_type(headers: dict[bytes, list[bytes]]) -> str:
    declared = headers.get(b"content-type", [])
    return declared[0].decode("latin-1").partition(";")[0].strip().lower() if len(declared) == 1 else ""


def _accepted(path: str, method: str) -> frozenset[str]:
    return _UPLOAD_TYPES.get(method, frozenset()) if path.startswith(_UPLOADS) else _JSON


class _NoGrpc:
    """Replaces the Storage API's server: no client here uses it, and it would need a token of its own."""

    async def start(self) -> None:
        pass

    async def stop(self, grace: float) -> None:
        pass


_create_app = server.create_app
_start = DuckDBEngine.start
_run_load = upload._run_load


def _guarded_app(context: Any) -> Guard:
    credentials = json.loads((Path(context.settings.data_dir) / "credentials.json").read_text())
    return Guard(_create_app(context), credentials["token"], context.settings.rest_port)


async def _start_locked(self: Any) -> None:
    """Start the engine, then lock its access to other files and the network for as long as it runs."""
    uploads = Path(self._settings.upload_staging_dir)
    shutil.rmtree(uploads, ignore_errors=True)  # left behind by a warehouse that was killed
    uploads.mkdir(parents=True)
    await _start(self)
    for setting in (
        f"temp_directory = '{_quoted(Path(self._settings.data_dir) / 'spill')}'",
        f"allowed_directories = ['{_quoted(uploads)}']",
        "python_enable_replacements = false",
        "autoinstall_known_extensions = false",
        "autoload_known_extensions = false",
        "enable_external_access = false",
        "lock_configuration = true",
    ):
        self.execute(f"SET {setting}")


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")


def _resolve_upload(uri: str, ctx: Any) -> str:
    """The path of an uploaded file: load jobs may read no other file, and extract jobs cannot write any."""
    path = Path(uri.removeprefix("file://")).resolve()
    if path.parent != Path(ctx.settings.upload_staging_dir).resolve():
        raise InvalidQueryError("The local warehouse has no Cloud Storage: load jobs take uploaded files only.")
    return str(path)


async def _run_load_unzipped(*, media_path: str, **job: Any) -> Any:
    """Unzip gzipped JSON lines and CSV before the load, which BigQuery accepts too."""
    uploaded = Path(media_path)
    with uploaded.open("rb") as file:
        zipped = file.read(2) == b"\x1f\x8b"
    if zipped:
        plain = uploaded.with_suffix(".plain")
        with gzip.open(uploaded) as source, plain.open("wb") as target:
            shutil.copyfileobj(source, target)
        plain.replace(uploaded)
    return await _run_load(media_path=media_path, **job)


def restrict() -> None:
    """Put the guard in front of the warehouse and lock its engine, in this process."""
    server.create_app = _guarded_app
    server.build_grpc_server = lambda _: (_NoGrpc(), 0)
    DuckDBEngine.start = _start_locked
    executor._resolve_uri = _resolve_upload
    upload._run_load = _run_load_unzipped
