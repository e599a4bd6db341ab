"""An HTTP proxy in front of the warehouse: it records the requests for jobs, and can refuse statements with an error."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

_JOBS = re.compile(r"/projects/[^/]+/(jobs|queries)$")


@dataclass
class Refusal:
    """The next `times` statements that contain the text `sql` are refused with an error of BigQuery."""

    sql: str
    status: int
    reason: str
    message: str
    times: int


@dataclass
class Proxy:
    """The proxy's address, record and refusals.

    Attributes:
        url: its URL.
        jobs: the requests that started jobs, as BigQuery's Job or QueryRequest, oldest first.
        refusals: the statements to refuse.
    """

    url: str = ""
    jobs: list[dict[str, Any]] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)

    def refuse(self, sql: str, message: str, times: int, status: int = 400, reason: str = "invalidQuery") -> None:
        self.refusals.append(Refusal(sql, status, reason, message, times))

    def statements(self, text: str = "") -> list[str]:
        """The statements that were sent and contain a text, refused ones included."""
        return [sql for sql in map(statement_of, self.jobs) if text in sql]


def statement_of(job: dict[str, Any]) -> str:
    """The SQL of a job; empty for a load or a copy."""
    query = job.get("configuration", {}).get("query", job).get("query", "")
    return query if isinstance(query, str) else ""


@contextmanager
def proxied(target: str) -> Iterator[Proxy]:
    """A proxy in front of the server at `target`, for the duration of the block."""
    proxy, host, lock = Proxy(), urlsplit(target).netloc, threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _forward(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if self.command == "POST" and _JOBS.search(urlsplit(self.path).path):
                job = _json_in(body)
                with lock:
                    proxy.jobs.append(job)
                    refusal = next((r for r in proxy.refusals if r.times and r.sql in statement_of(job)), None)
                    if refusal is not None:
                        refusal.times -= 1
                if refusal is not None:
                    details = {"reason": refusal.reason, "message": refusal.message}
                    error = {"code": refusal.status, "message": refusal.message, "errors": [details]}
                    self._answer(refusal.status, {"Content-Type": "application/json"}, json.dumps({"error": error}).encode())
                    return
            upstream = HTTPConnection(host, timeout=120)
            kept = {name: value for name, value in self.headers.items() if name.lower() not in {"host", "accept-encoding"}}
            upstream.request(self.command, self.path, body, kept)
            answer = upstream.getresponse()
            hidden = {"transfer-encoding", "content-length", "connection", "content-encoding"}
            headers = {name: value for name, value in answer.getheaders() if name.lower() not in hidden}
            self._answer(answer.status, headers, answer.read())
            upstream.close()

        def _answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _forward

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    proxy.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield proxy
    finally:
        server.shutdown()
        server.server_close()


def _json_in(body: bytes) -> dict[str, Any]:
    """The JSON of a request; for a multipart upload, that of its first part."""
    start = body.index(b"{")
    decoded: dict[str, Any]
    decoded, _ = json.JSONDecoder().raw_decode(body[start : body.rfind(b"}") + 1].decode("utf-8", "replace"))
    return decoded
