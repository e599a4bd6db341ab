"""Opens the Great Expectations context. The function that does imports Great Expectations, which takes seconds."""

from __future__ import annotations

import logging
import os
import warnings
from functools import lru_cache
from typing import TYPE_CHECKING

from include.settings import settings

if TYPE_CHECKING:
    from great_expectations.data_context import FileDataContext

log = logging.getLogger(__name__)

SITE = "site"


@lru_cache(maxsize=1)
def open_context() -> FileDataContext:
    """The context in `great_expectations/`, knowing the platform's own expectation. Runs no query."""
    config = settings()
    # great_expectations.yml takes these from the environment, where a default of the settings does not show.
    os.environ["GX_WAREHOUSE_URL"] = warehouse_url()
    os.environ["PLATFORM_STATE_DIR"] = str(config.state_dir)
    os.environ["GX_ANALYTICS_ENABLED"] = "false"

    import great_expectations
    from include.quality import expectations

    # A BigQuery data source spans datasets, so each asset must name its own; there is no other way to say it.
    warnings.filterwarnings("ignore", message="`schema_name` is deprecated", category=DeprecationWarning)

    logging.getLogger("great_expectations").setLevel(logging.WARNING)
    log.debug("Registered %s", expectations.ExpectNoRows.__name__)  # defining the class is what registers it
    return great_expectations.get_context(mode="file", context_root_dir=config.gx_dir)


def warehouse_url() -> str:
    """The warehouse for SQLAlchemy: project, location, the labels and the byte cap that every query carries."""
    config = settings()
    options = f"location={config.location}&labels=platform:customer-intelligence,environment:{config.environment_label}"
    if config.maximum_bytes_billed is not None:
        options += f"&maximum_bytes_billed={config.maximum_bytes_billed}"
    return f"bigquery://{config.project}?{options}"
