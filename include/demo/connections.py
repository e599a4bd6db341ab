"""How the demo company's systems are reached: one Airflow connection per source, known before the systems run.

The local stack hands these to Airflow, `serve` writes the same to `systems.json`, and the servers check the same secrets.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

HOST = "127.0.0.1"
SUPPORT_USER = "platform"


def billing_token() -> str:
    """The bearer token of the billing API: `DEMO_BILLING_TOKEN`, or the demo's fixed one."""
    return os.environ.get("DEMO_BILLING_TOKEN", "demo-billing-token")


def support_password() -> str:
    """The password of the support API: `DEMO_SUPPORT_PASSWORD`, or the demo's fixed one."""
    return os.environ.get("DEMO_SUPPORT_PASSWORD", "demo-support-password")


def connections(home: Path, postgres_url: str, billing_port: int, support_port: int) -> dict[str, dict[str, Any]]:
    """Source name → Airflow connection as a dict, for systems whose files lie under `home`."""
    database = urlsplit(postgres_url)
    return {
        "crm": {
            "conn_type": "postgres",
            # A server on a Unix socket only is named by the socket's folder: postgresql://user@/db?host=/folder.
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
