"""Real receivers of alerts on free ports: a Slack webhook, PagerDuty's event endpoint and a mail server."""

from __future__ import annotations

import email
import email.policy
import json
import logging
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope, LoginPassword, Session

from tests.warehouse import free_port

TOKEN = "T000/B000/hush-this-is-a-secret"
ROUTING_KEY = "pagerduty-key-that-nobody-may-see"
MAIL_PASSWORD = "mail-password-that-nobody-may-see"


@dataclass
class Receivers:
    """The messages that arrived, and the receivers that are down.

    Attributes:
        slack: bodies posted to the webhook.
        pagerduty: events of PagerDuty's Events API v2.
        mails: the recipients and the content of each e-mail.
        paths: the URL paths of the posts to the webhook.
        down: receivers that refuse everything: slack, pagerduty, email.
        http_port: the port of the webhook and of the event endpoint.
        smtp_port: the port of the mail server.
    """

    slack: list[dict[str, Any]] = field(default_factory=list)
    pagerduty: list[dict[str, Any]] = field(default_factory=list)
    mails: list[tuple[list[str], EmailMessage]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    down: set[str] = field(default_factory=set)
    http_port: int = 0
    smtp_port: int = 0

    @property
    def counts(self) -> tuple[int, int, int]:
        """The number of messages by Slack, e-mail and PagerDuty."""
        return len(self.slack), len(self.mails), len(self.pagerduty)

    def connections(self) -> dict[str, str]:
        """The Airflow connections to these receivers, as environment variables."""
        http = f"http://127.0.0.1:{self.http_port}"
        known = {
            "slack_webhook_default": {"conn_type": "slackwebhook", "host": f"{http}/services", "password": TOKEN},
            "pagerduty_default": {"conn_type": "pagerduty_events", "host": f"{http}/pagerduty", "password": ROUTING_KEY},
            "smtp_default": {
                "conn_type": "smtp",
                "host": "127.0.0.1",
                "port": self.smtp_port,
                "login": "platform",
                "password": MAIL_PASSWORD,
                "extra": {
                    "from_email": "platform@example.com",
                    "disable_ssl": True,
                    "disable_tls": True,
                    "timeout": 5,
                    "retry_limit": 0,
                },
            },
        }
        return {f"AIRFLOW_CONN_{name.upper()}": json.dumps(connection) for name, connection in known.items()}


def _handler(received: Receivers) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            pagerduty = self.path.startswith("/pagerduty")
            if ("pagerduty" if pagerduty else "slack") in received.down:
                # Like a proxy, the answer repeats the path, which is secret.
                self.answer(503, f"no upstream for {self.path}".encode())
            elif not pagerduty:
                received.slack.append(body)
                received.paths.append(self.path)
                self.answer(200, b"ok")
            else:
                assert self.path == "/pagerduty/v2/enqueue"
                assert {"routing_key", "event_action", "dedup_key"} <= set(body)
                received.pagerduty.append(body)
                answer = {"status": "success", "message": "Event processed", "dedup_key": body["dedup_key"]}
                self.answer(202, json.dumps(answer).encode())

        def answer(self, status: int, content: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Keep the log out of the test's output."""

    return Handler


class _Mailbox:
    def __init__(self, received: Receivers) -> None:
        self.received = received

    async def handle_MAIL(self, server: Any, session: Session, envelope: Envelope, address: str, options: list[str]) -> str:
        if "email" in self.received.down:
            return "421 4.3.2 the mail server is down"
        envelope.mail_from = address
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Session, envelope: Envelope) -> str:
        message = email.message_from_bytes(envelope.content or b"", policy=email.policy.default)
        self.received.mails.append((list(envelope.rcpt_tos), message))
        return "250 OK"


def _authenticate(server: Any, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
    return AuthResult(success=isinstance(data, LoginPassword) and data.password == MAIL_PASSWORD.encode())


@contextmanager
def receiving() -> Iterator[Receivers]:
    """Start the receivers, and stop them at the end of the block."""
    # The mail server logs the e-mails, and the tests check that no log holds a secret.
    logging.getLogger("mail.log").setLevel(logging.CRITICAL)
    received = Receivers()
    web = ThreadingHTTPServer(("127.0.0.1", 0), _handler(received))
    received.http_port = web.server_address[1]
    received.smtp_port = free_port()
    mail = Controller(
        _Mailbox(received),
        hostname="127.0.0.1",
        port=received.smtp_port,
        authenticator=_authenticate,
        auth_require_tls=False,
        auth_required=True,
    )
    thread = threading.Thread(target=web.serve_forever, daemon=True)
    thread.start()
    with warnings.catch_warnings():
        # The mail server accepts a login without TLS because it listens on the loopback interface only.
        warnings.filterwarnings("ignore", "Requiring AUTH while not requiring TLS")
        warnings.filterwarnings("ignore", "Session.login_data is deprecated")
        mail.start()
        try:
            yield received
        finally:
            mail.stop()
            web.shutdown()
            web.server_close()
