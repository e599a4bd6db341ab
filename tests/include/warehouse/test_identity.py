"""One identity for all components: that of Airflow's connection, else application default credentials."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from google.auth import impersonated_credentials
from google.oauth2 import credentials as user_credentials
from google.oauth2 import service_account

from include.local.warehouse.embedded import environment
from include.settings import ROOT, settings
from include.transform.run_environment import pass_run
from include.warehouse import client, credentials, identity
from include.warehouse.identity import Identity, IdentityError

VARIABLE = "AIRFLOW_CONN_GOOGLE_CLOUD_DEFAULT"
ROBOT, OTHER = "robot@project.iam.gserviceaccount.com", "warehouse@project.iam.gserviceaccount.com"
#: Reads the project's profile as dbt does, and prints the accounts of the credentials.
DBT = """
import argparse, json, os, sys
from dbt.adapters.bigquery.credentials import create_google_credentials
from dbt.adapters.factory import load_plugin
from dbt.config.profile import Profile, read_profile
from dbt.config.renderer import ProfileRenderer
from dbt.flags import set_from_args
from dbt_common.context import set_invocation_context
set_from_args(argparse.Namespace(), None)
set_invocation_context(os.environ)
load_plugin("bigquery")
profile = Profile.from_raw_profiles(read_profile(sys.argv[1]), "customer_intelligence", ProfileRenderer({}))
made = create_google_credentials(profile.credentials)
source = getattr(made, "_source_credentials", made)
print(json.dumps([made.service_account_email, source.service_account_email]))
"""


@pytest.fixture(scope="module")
def key() -> dict[str, str]:
    """A random key of a service account."""
    private = rsa.generate_private_key(65537, 2048)
    kinds = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return {
        "type": "service_account",
        "client_email": ROBOT,
        "token_uri": "https://oauth2.googleapis.com/token",
        "private_key": private.private_bytes(*kinds).decode(),
    }


@pytest.fixture(autouse=True)
def default(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Application default credentials of a user."""
    for name, value in environment(tmp_path, 1).items():
        monkeypatch.setenv(name, value)
    settings.cache_clear()
    yield
    settings.cache_clear()


def connect(monkeypatch: pytest.MonkeyPatch, **extra: Any) -> None:
    monkeypatch.setenv(VARIABLE, json.dumps({"conn_type": "google_cloud_platform", "extra": extra}))


def test_a_connection_that_says_nothing_leaves_it_to_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    connect(monkeypatch, project="local")
    assert credentials() is None
    assert isinstance(client()._credentials, user_credentials.Credentials)
    assert identity().dbt_environment() == {}


def test_a_key(monkeypatch: pytest.MonkeyPatch, key: Mapping[str, str]) -> None:
    escaped = key | {"private_key": key["private_key"].replace("\n", "\\n")}
    for given in (key, json.dumps(key), escaped):
        connect(monkeypatch, keyfile_dict=given)
        found = client()._credentials
        assert isinstance(found, service_account.Credentials)
        assert found.service_account_email == ROBOT
        assert identity().dbt_environment() == {
            "BIGQUERY_METHOD": "service-account-json",
            "BIGQUERY_KEY_EMAIL": ROBOT,
            "BIGQUERY_KEY_TOKEN_URI": key["token_uri"],
            "DBT_ENV_SECRET_BIGQUERY_PRIVATE_KEY": key["private_key"],
        }
        assert "PRIVATE" not in repr(identity())


def test_a_key_file_with_impersonation(monkeypatch: pytest.MonkeyPatch, key: Mapping[str, str], tmp_path: Path) -> None:
    path = tmp_path / "key.json"
    path.write_text(json.dumps(key))
    monkeypatch.setenv(VARIABLE, f"google-cloud-platform://?key_path={path}&impersonation_chain={OTHER}")
    found = client()._credentials
    assert isinstance(found, impersonated_credentials.Credentials)
    assert found.service_account_email == OTHER
    assert found._source_credentials.service_account_email == ROBOT
    assert identity().dbt_environment() == {"GOOGLE_APPLICATION_CREDENTIALS": str(path), "BIGQUERY_IMPERSONATE": OTHER}


def test_default_credentials_with_impersonation(monkeypatch: pytest.MonkeyPatch) -> None:
    connect(monkeypatch, extra__google_cloud_platform__impersonation_chain=OTHER, quota_project_id="paying-project")
    found = client()._credentials
    assert isinstance(found, impersonated_credentials.Credentials)
    assert (found.service_account_email, found.quota_project_id) == (OTHER, "paying-project")
    assert isinstance(found._source_credentials, user_credentials.Credentials)


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        ({"key_secret_name": "s3cret"}, "key_secret_name, which dbt cannot use"),
        ({"is_anonymous": True}, "is_anonymous"),
        ({"impersonation_chain": f"{ROBOT},{OTHER}"}, "several accounts"),
        ({"key_path": "/nowhere/s3cret.json"}, "not a readable file"),
    ],
)
def test_an_identity_that_not_every_component_can_use_is_refused(extra: dict[str, Any], message: str) -> None:
    with pytest.raises(IdentityError, match=message) as caught:
        Identity.of(extra)
    assert "s3cret" not in str(caught.value)


def test_an_invalid_key_is_refused_without_showing_it() -> None:
    with pytest.raises(IdentityError, match="not a service account key") as caught:
        Identity.of({"keyfile_dict": '{"private_key": "s3cret"'}).dbt_environment()
    assert "s3cret" not in str(caught.value)


def test_airflow_is_asked_in_its_own_processes_only(monkeypatch: pytest.MonkeyPatch) -> None:
    from airflow.sdk import Connection
    from airflow.sdk.exceptions import AirflowNotFoundException

    from include.warehouse.identity import _of_airflow

    monkeypatch.delenv(VARIABLE, raising=False)
    known = Connection(
        conn_id="google_cloud_default", conn_type="google_cloud_platform", extra=json.dumps({"impersonation_chain": OTHER})
    )
    monkeypatch.setattr(Connection, "get", lambda _: known)
    _of_airflow.cache_clear()
    assert identity().account == OTHER

    def unknown(_: str) -> Connection:
        raise AirflowNotFoundException

    monkeypatch.setattr(Connection, "get", unknown)
    _of_airflow.cache_clear()
    assert identity() == Identity()

    def unreachable(_: str) -> Connection:
        raise RuntimeError("no answer")

    monkeypatch.setattr(Connection, "get", unreachable)
    _of_airflow.cache_clear()
    with pytest.raises(RuntimeError):
        identity()
    _of_airflow.cache_clear()
    monkeypatch.delitem(sys.modules, "airflow.sdk")
    assert identity() == Identity(), "other processes do not import Airflow"


def test_dlt_uses_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from include.ingestion.dlt_pipeline import configure

    configure()
    import dlt

    from include.ingestion.destination import warehouse_destination

    connect(monkeypatch, impersonation_chain=OTHER)
    destination = warehouse_destination()
    pipeline = dlt.pipeline("shop", destination=destination, dataset_name="raw_shop", pipelines_dir=str(tmp_path))
    with pipeline.sql_client() as made:
        found = made.native_connection._credentials
    assert isinstance(found, impersonated_credentials.Credentials)
    assert found.service_account_email == OTHER


def test_dbt_uses_it(monkeypatch: pytest.MonkeyPatch, key: Mapping[str, str]) -> None:
    """dbt's profile reads the environment variables of the task."""
    connect(monkeypatch, keyfile_dict=key, impersonation_chain=OTHER)
    for name, value in identity().dbt_environment().items():
        monkeypatch.setenv(name, value)
    done = subprocess.run([sys.executable, "-c", DBT, str(ROOT / "dbt")], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == [OTHER, ROBOT]


def test_a_task_passes_the_key_to_dbt_without_showing_it(monkeypatch: pytest.MonkeyPatch, key: Mapping[str, str]) -> None:
    """Airflow shows an operator's fields, its `env` among them."""
    connect(monkeypatch, keyfile_dict=key)
    monkeypatch.setattr(os, "environ", dict(os.environ))
    parameters = {"as_of": "2026-10-01T00:00:00+00:00", "full_refresh": False}
    operator = SimpleNamespace(env=None, base_cmd=["build"], dbt_cmd_flags=[])
    pass_run({"run_id": "nightly", "ti": SimpleNamespace(xcom_pull=lambda **_: parameters)}, operator)
    assert os.environ["DBT_ENV_SECRET_BIGQUERY_PRIVATE_KEY"] == key["private_key"]
    assert operator.env == {"DBT_AS_OF": parameters["as_of"], "DBT_RUN_ID": "nightly"}


def test_landing_files_in_a_bucket_are_read_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    from include.sources import SourceConnection
    from include.sources.reader_settings import FilesReader
    from include.sources.readers.files import FolderFiles

    connect(monkeypatch, impersonation_chain=OTHER)
    reader = FolderFiles(
        FilesReader(type="files", formats=["jsonl"]), SourceConnection.of("product", {"extra": {"url": "gs://bucket/product"}})
    )
    assert reader._filesystem.credentials.credentials.service_account_email == OTHER
