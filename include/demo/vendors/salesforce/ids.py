"""Salesforce's record ids: 15 characters in which case counts, and three more from which case can be restored."""

from __future__ import annotations

import re
from hashlib import blake2b

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_CHECK = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"


def record_id(prefix: str, key: str) -> str:
    """The id of 18 characters for a key of the demo company. Ids of a type have the order of their keys, as Salesforce counts up.

    Args:
        prefix: the three characters of the type, such as 001 for Account.
        key: a UUID, a key such as tkt_0123456789abcdef, or any other text, which is hashed.
    """
    digits = key.rpartition("_")[2].replace("-", "")
    if not re.fullmatch("[0-9a-f]{16,}", digits):
        digits = blake2b(key.encode(), digest_size=16).hexdigest()
    number = int(digits[:17], 16)
    text = ""
    for _ in range(12):
        number, digit = divmod(number, 62)
        text = _DIGITS[digit] + text
    return with_checksum(prefix + text)


def with_checksum(short: str) -> str:
    """The id of 18 characters for one of 15. Each of the last three says which of five characters are capitals."""
    chunks = (short[:5], short[5:10], short[10:])
    return short + "".join(_CHECK[sum(1 << place for place, one in enumerate(chunk) if "A" <= one <= "Z")] for chunk in chunks)
