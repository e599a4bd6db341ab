"""The form of a case: the bytes of one file, and what becomes of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

HEADER = "id,name,amount,n,at,flag,doc"


@dataclass(frozen=True)
class Case:
    """One malformed or unusual file.

    Attributes:
        about: what is unusual.
        file: its name.
        data: its bytes.
        rows: the values of each row that is loaded, as text. NULLs are left out.
        rejected: the line, or None, and a part of the reason of each rejected record.
    """

    about: str
    file: str
    data: bytes
    rows: list[dict[str, str]] = field(default_factory=list)
    rejected: list[tuple[int | None, str]] = field(default_factory=list)

    def __str__(self) -> str:
        return f"{self.file}: {self.about}"


def ids(*values: Any) -> list[dict[str, str]]:
    """Rows of which only the id is set."""
    return [{"id": str(value)} for value in values]


#: Column, the text of a value, and the value that is loaded, as text. None: the column is NULL, and the text is kept beside it.
VALUES: list[tuple[str, str, str | None]] = [
    ("name", "plain", "plain"),
    ("name", " spaces ", " spaces "),
    ("name", "NULL", "NULL"),
    ("name", "\\N", "\\N"),
    ("name", "Żółć 🙃 東京", "Żółć 🙃 東京"),
    ("name", "e\u0301", "e\u0301"),
    ("name", "a\u2028b", "a\u2028b"),
    ("name", "a\u0085b\x0bc\x1ed", "a\u0085b\x0bc\x1ed"),
    ("name", "\ufeffx", "\ufeffx"),
    ("name", "=1+1", "=1+1"),
    ("name", "'; drop table accounts; --", "'; drop table accounts; --"),
    ("name", "0012", "0012"),
    ("name", "x" * 70_000, "x" * 70_000),
    ("amount", "12.50", "12.500000000"),
    ("amount", "-.5", "-0.500000000"),
    ("amount", "+7", "7.000000000"),
    ("amount", "1e3", "1000.000000000"),
    ("amount", "1E-3", "0.001000000"),
    ("amount", " 3 ", "3.000000000"),
    ("amount", "5.", "5.000000000"),
    ("amount", "0.1234567895", "0.123456790"),
    ("amount", "-0.1234567895", "-0.123456790"),
    ("amount", "0.1234567894999999999999999999999999999999999999", "0.123456789"),
    ("amount", "0.1000000000000000055", "0.100000000"),
    ("amount", "99999999999999999999999999999.999999999", "99999999999999999999999999999.999999999"),
    ("amount", "100000000000000000000000000000", None),
    ("amount", "1,234.50", None),
    ("amount", "1.234,50", None),
    ("amount", "1 234", None),
    ("amount", "1,5", None),
    ("amount", "$5", None),
    ("amount", "5 EUR", None),
    ("amount", "5%", None),
    ("amount", "(5)", None),
    ("amount", "--5", None),
    ("amount", "NaN", None),
    ("amount", "Infinity", None),
    ("amount", "n/a", None),
    ("amount", "1e400", None),
    ("amount", "0x10", None),
    ("n", "5", "5"),
    ("n", "5.0", "5"),
    ("n", "-7", "-7"),
    ("n", "+7", "7"),
    ("n", "007", "7"),
    ("n", "9223372036854775807", "9223372036854775807"),
    ("n", "9223372036854775808", None),
    ("n", "5.5", None),
    ("n", "1e3", None),
    ("n", "1_000", None),
    ("n", "٥", None),
    ("n", "true", None),
    ("at", "2026-10-01T12:00:00Z", "2026-10-01 12:00:00+00:00"),
    ("at", "2026-10-01 12:00:00 UTC", "2026-10-01 12:00:00+00:00"),
    ("at", "2026-10-01 12:00:00", "2026-10-01 12:00:00+00:00"),
    ("at", "2026-10-01T12:00:00+02:00", "2026-10-01 10:00:00+00:00"),
    ("at", "2026-10-01T12:00:00-0530", "2026-10-01 17:30:00+00:00"),
    ("at", "2026-10-01T12:00", "2026-10-01 12:00:00+00:00"),
    ("at", "2026-10-01", "2026-10-01 00:00:00+00:00"),
    ("at", "2026-10-01T12:00:00.123456789Z", "2026-10-01 12:00:00.123456+00:00"),
    ("at", "2026-10-01T12:00:00,5Z", "2026-10-01 12:00:00.500000+00:00"),
    ("at", "2026-02-29T12:00:00Z", None),
    ("at", "2026-13-01T12:00:00Z", None),
    ("at", "2026-10-01T25:00:00Z", None),
    ("at", "01/10/2026", None),
    ("at", "20261001", None),
    ("at", "1790000000", None),
    ("at", "yesterday", None),
    ("at", "2026-10-01 12:00:00 CET", None),
    ("at", "0000-00-00 00:00:00", None),
    ("flag", "true", "True"),
    ("flag", "Y", "True"),
    ("flag", "no", "False"),
    ("flag", "F", "False"),
    ("flag", "1", "True"),
    ("flag", "2", None),
    ("flag", "on", None),
    ("flag", "maybe", None),
    ("doc", '{"a": 1}', '{"a": 1}'),
    ("doc", "[1, 2]", "[1, 2]"),
    ("doc", '"x"', '"x"'),
    ("doc", "{'a': 1}", None),
    ("doc", '{"a": NaN}', None),
    ("doc", '{"a": 1', None),
    ("doc", "plain", None),
]
