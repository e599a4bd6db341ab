"""Publishing: clones the checked build into the datasets that analysts read, all tables or none."""

from include.publish.publish import publish, recover
from include.publish.targets import PublishError

__all__ = ["PublishError", "publish", "recover"]
