"""The identity of every component on Google Cloud: that of Airflow's connection `google_cloud_default`, if it names one.

Otherwise Google's application default credentials: a key file, a workload identity, or `gcloud auth`. The connection sets the identity
only; the project is `GOOGLE_CLOUD_PROJECT`.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from google.auth.credentials import Credentials

CONNECTION = "google_cloud_default"
_VARIABLE = f"AIRFLOW_CONN_{CONNECTION.upper()}"
_SCOPES = ("https://www.googleapis.com/auth/cloud-platform",)
#: Fields that Airflow supports and dbt does not. They are refused, because two components must not have two identities.
_REFUSED = ("key_secret_name", "is_anonymous", "idp_issuer_url")


class IdentityError(ValueError):
    """The connection names an identity that not every component can use; the message names the field, never its value."""


@dataclass(frozen=True)
class Identity:
    """The identity in `google_cloud_default`; all fields empty: application default credentials.

    Attributes:
        key_path: path of a credentials file of any of Google's kinds.
        key: a service account's key as JSON.
        account: the service account to impersonate, by its e-mail address.
        quota_project: the project whose quota requests count against, if not the credentials' own.
    """

    key_path: str = ""
    key: str = field(default="", repr=False)
    account: str = ""
    quota_project: str = ""

    @classmethod
    def of(cls, extra: Mapping[str, Any]) -> Identity:
        """Read the extra fields of an Airflow connection, with or without the prefix of old versions.

        Raises:
            IdentityError: naming the field that is not supported.
        """
        fields = {name.removeprefix("extra__google_cloud_platform__"): value for name, value in extra.items() if value}
        for name in _REFUSED:
            if name in fields:
                raise IdentityError(f"{CONNECTION} has {name}, which dbt cannot use: give key_path or impersonation_chain.")
        path = str(fields.get("key_path") or fields.get("credential_config_file") or "")
        if path and not Path(path).is_file():
            raise IdentityError(f"key_path or credential_config_file of {CONNECTION} is not a readable file.")
        key = fields.get("keyfile_dict") or ""
        chain = fields.get("impersonation_chain") or ()
        accounts = [part.strip() for part in chain.split(",")] if isinstance(chain, str) else list(chain)
        if len(accounts) > 1:
            raise IdentityError(f"impersonation_chain of {CONNECTION} has several accounts; dbt impersonates one.")
        return cls(
            key_path=path,
            key=key if isinstance(key, str) else json.dumps(key),
            account="".join(accounts),
            quota_project=str(fields.get("quota_project_id") or ""),
        )

    def dbt_environment(self) -> dict[str, str]:
        """The environment variables that `dbt/profiles.yml` reads, for the process that runs dbt."""
        variables = {}
        if self.key_path:
            variables["GOOGLE_APPLICATION_CREDENTIALS"] = self.key_path
        if self.key:
            key = self._key()
            variables |= {
                "BIGQUERY_METHOD": "service-account-json",
                "BIGQUERY_KEY_EMAIL": key["client_email"],
                "BIGQUERY_KEY_TOKEN_URI": key["token_uri"],
                "DBT_ENV_SECRET_BIGQUERY_PRIVATE_KEY": key["private_key"],
            }
        if self.account:
            variables["BIGQUERY_IMPERSONATE"] = self.account
        if self.quota_project:
            variables["BIGQUERY_QUOTA_PROJECT"] = self.quota_project
        return variables

    def _key(self) -> dict[str, str]:
        try:
            key: dict[str, str] = json.loads(self.key)
            # In a connection's text the newlines of the key are often escaped twice.
            return key | {"private_key": key["private_key"].replace("\\n", "\n")}
        except (ValueError, KeyError, AttributeError, TypeError):
            raise IdentityError(f"keyfile_dict of {CONNECTION} is not a service account key in JSON.") from None


def identity() -> Identity:
    """The identity of this process's components.

    Raises:
        IdentityError: `google_cloud_default` names one that not every component can use.
    """
    text = os.environ.get(_VARIABLE)
    if text:
        return _of_variable(text)
    # A process that has not imported Airflow's SDK runs outside of Airflow; importing the SDK would take seconds.
    return _of_airflow() if "airflow.sdk" in sys.modules else Identity()


def credentials() -> Credentials | None:
    """The credentials for Google's clients; None: application default credentials, which each client finds itself."""
    return _credentials(identity())


@lru_cache(maxsize=4)
def _of_variable(text: str) -> Identity:
    """The identity in the environment variable; its text is the key of the cache."""
    from include.connection import SourceConnection

    return Identity.of(SourceConnection.from_airflow(CONNECTION).extra)


@lru_cache(maxsize=1)
def _of_airflow() -> Identity:
    from airflow.sdk import Connection
    from airflow.sdk.exceptions import AirflowNotFoundException

    try:
        return Identity.of(Connection.get(CONNECTION).extra_dejson)
    except AirflowNotFoundException:
        return Identity()


@lru_cache(maxsize=4)
def _credentials(wanted: Identity) -> Credentials | None:
    if wanted == Identity():
        return None
    import warnings

    import google.auth
    from google.auth import impersonated_credentials
    from google.oauth2 import service_account

    found: Any
    if wanted.key:
        found = service_account.Credentials.from_service_account_info(wanted._key(), scopes=_SCOPES)  # type: ignore[no-untyped-call]
    elif wanted.key_path:
        with warnings.catch_warnings():
            # google-auth warns about credential files from unknown origins; here the author of the connection knows the file.
            warnings.simplefilter("ignore", DeprecationWarning)
            found, _ = google.auth.load_credentials_from_file(wanted.key_path, scopes=_SCOPES)  # type: ignore[no-untyped-call]
    else:
        found, _ = google.auth.default(scopes=_SCOPES)
    if wanted.account:
        found = impersonated_credentials.Credentials(found, wanted.account, list(_SCOPES))  # type: ignore[no-untyped-call]
    if wanted.quota_project:
        found = found.with_quota_project(wanted.quota_project)
    credentials: Credentials = found
    return credentials
