"""Decodes the bytes of a text file. UTF-8 is expected; another encoding is guessed only if UTF-8 cannot be meant."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
#: The encodings of files that are not Unicode. The first one is chosen if several fit equally well.
_LEGACY = ("cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp932", "gb18030", "big5", "euc_kr", "mac_roman")
#: A guess needs no more than the start of a file.
_SAMPLE = 200_000
#: What stands for a byte that the encoding does not have.
UNDECODED = re.compile("[\udc00-\udcff]")
_HANDLER = "keep_undecoded"


class Unreadable(ValueError):
    """A file cannot be read at all. The message is the reason; `line` is the line of the cause, from 1, if there is one."""

    def __init__(self, reason: str, line: int | None = None) -> None:
        super().__init__(reason)
        self.line = line


@dataclass(frozen=True)
class Text:
    """A decoded text.

    Attributes:
        text: the text. A byte that cannot be decoded is a character that `UNDECODED` finds.
        encoding: the encoding's name, such as `utf-8`.
        guessed: the encoding is neither declared nor said by the file itself.
        others: encodings that fit as well as the guessed one, and read the file as another text.
    """

    text: str
    encoding: str
    guessed: bool = False
    others: tuple[str, ...] = ()

    def guess(self) -> str:
        """The guess in words, with a line that shows whether it is right."""
        line, shown = self.first_guess()
        also = f" ({', '.join(self.others)} would fit as well)" if self.others else ""
        return f'not UTF-8; read as {self.encoding}{also}. Line {line}: "{shown}"'

    def first_guess(self) -> tuple[int, str]:
        """The first line that the guess concerns, and its text: somebody who reads it sees if the guess is right."""
        found = re.search(r"[^\x00-\x7f]", self.text)
        place = found.start() if found else 0
        start = max(self.text.rfind(end, 0, place) for end in "\r\n") + 1
        line = re.split(r"[\r\n]", self.text[start : start + 500])[0]
        return line_number(self.text, place), line[max(place - start - 40, 0) :][:80].strip()


def decode(data: bytes, declared: str | None = None) -> Text:
    """Decode a file.

    In this order count: the declared encoding, a byte order mark, UTF-8, and a guess. A file in UTF-8 with some damaged
    bytes stays UTF-8, so that its other lines are not misread.

    Raises:
        Unreadable: no encoding fits.
    """
    if data.startswith(b"PK\x03\x04"):
        raise Unreadable("a ZIP archive, such as an Excel workbook: save it as CSV in UTF-8")
    if declared is not None:
        return Text(_decoded(data, declared).removeprefix("\ufeff"), declared)
    for mark, encoding in _BYTE_ORDER_MARKS:
        if data.startswith(mark):
            return Text(_decoded(data, encoding), encoding.removesuffix("-sig"))
    text = _decoded(data, "utf-8")
    damaged = len(UNDECODED.findall(text))
    if data.count(0) * 5 > len(data) or damaged > _beyond_ascii(text) - damaged:
        return _guessed(data)
    return Text(text, "utf-8")


def line_number(text: str, place: int) -> int:
    """The number of the line at a position, from 1. A line ends with LF, CR LF or CR."""
    before = text[:place]
    return before.count("\n") + before.count("\r") - before.count("\r\n") + 1


def printable(text: str) -> str:
    """The text with `?` for each byte that could not be decoded."""
    return text.encode("utf-8", "replace").decode()


def _guessed(data: bytes) -> Text:
    from charset_normalizer import from_bytes

    isolated = [*_LEGACY, "utf_16_le", "utf_16_be"]
    matches = list(from_bytes(data[:_SAMPLE], cp_isolation=isolated, threshold=0.3))
    if not matches:
        first = UNDECODED.search(text := _decoded(data, "utf-8"))
        raise Unreadable(
            "not UTF-8, and no other encoding fits: save it in UTF-8", line_number(text, first.start() if first else 0)
        )
    best = min((match.chaos, -match.coherence) for match in matches)
    equal = [name for m in matches if (m.chaos, -m.coherence) == best for name in (m.encoding, *m.could_be_from_charset)]
    encoding = min(equal, key=lambda name: isolated.index(name) if name in isolated else len(isolated))
    text = _decoded(data, encoding)
    sample = data[:_SAMPLE]
    others = [name for name in sorted(set(equal)) if _decoded(sample, name) != _decoded(sample, encoding)]
    return Text(text, encoding.replace("_", "-"), guessed=True, others=tuple(name.replace("_", "-") for name in others))


def _beyond_ascii(text: str) -> int:
    return sum(map(len, re.findall(r"[^\x00-\x7f]+", text)))


def _keep(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return "".join(chr(0xDC00 + byte) for byte in error.object[error.start : error.end]), error.end


def _decoded(data: bytes, encoding: str) -> str:
    return data.decode(encoding, _HANDLER)


codecs.register_error(_HANDLER, _keep)
