"""Publishing: clones the checked build into the datasets that analysts read, all tables or none."""

from include.publish.publish import publish, recover
from include.publish.targets import DATASETS, PublishError

__all__ = ["DATASETS", "PublishError", "publish", "recover"]
