"""Connections to the demo company's systems: one Airflow connection per source, known before the systems run.

The local stack passes them to Airflow, and `serve` writes them to `systems.json`. The servers check the same secrets.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

HOST = "127.0.0.1"
SUPPORT_USER = "platform"


def billing_token() -> str:
    """The bearer token of the billing API: `DEMO_BILLING_TOKEN`, or a fixed demo token."""
    return os.environ.get("DEMO_BILLING_TOKEN", "demo-billing-token")


def support_password() -> str:
    """The password of the support API: `DEMO_SUPPORT_PASSWORD`, or a fixed demo password."""
    return os.environ.get("DEMO_SUPPORT_PASSWORD", "demo-support-password")


def connections(home: Path, postgres_url: str, billing_port: int, support_port: int) -> dict[str, dict[str, Any]]:
    """Source name → Airflow connection as a dict. The files of the systems are in `home`."""
    database = urlsplit(postgres_url)
    return {
        "crm": {
            "conn_type": "postgres",
            # For a server on a Unix socket the host is the folder of the socket: postgresql://user@/db?host=/folder.
            "host": database.hostname or parse_qs(database.query).get("host", [""])[0],
            "port": database.port or 5432,
            "login": database.username,
            "password": database.password or "",
            "schema": database.path.lstrip("/"),
        },
        "billing": {"conn_type": "http", "host": f"http://{HOST}:{billing_port}", "password": billing_token()},
        "support": {
            "conn_type": "http",
            "host": f"http://{HOST}:{support_port}",
            "login": SUPPORT_USER,
            "password": support_password(),
        },
        "product": {"conn_type": "generic", "extra": {"url": (home / "landing").resolve().as_uri()}},
        "reference": {"conn_type": "generic", "extra": {"url": (home / "reference").resolve().as_uri()}},
    }
