"""JSON lines files that systems and broken transfers produce."""

from __future__ import annotations

import gzip
import json
from typing import Any

from tests.include.sources.malformed.cases import VALUES, Case


def lines(
    about: str, text: str, rows: object = (), rejected: object = (), file: str = "a.jsonl", encoding: str = "utf-8"
) -> Case:
    return Case(about, file, text.encode(encoding), list(rows), list(rejected))  # type: ignore[call-overload]


def _value(column: str, text: str, expected: str | None) -> Case:
    loaded = {column: expected} if expected is not None else {f"{column}__v_text": text}
    return lines(f"{column} is the text {text[:40]!r}", json.dumps({"id": "1", column: text}), [{"id": "1"} | loaded])


def native(column: str, value: str, loaded: str | None) -> Case:
    """A value as JSON writes it. None: the column is NULL, and the value is kept beside it as it stands."""
    found = {column: loaded} if loaded is not None else {f"{column}__v_text": value.strip('"')}
    return lines(f"{column} is {value[:40]}", f'{{"id": "1", "{column}": {value}}}\n', [{"id": "1"} | found])


def _record(**values: Any) -> str:
    return json.dumps(values, ensure_ascii=False) + "\n"


ONE = _record(id="1", name="Café")
CAFE = [{"id": "1", "name": "Café"}]
PACKED = gzip.compress(ONE.encode())

CASES = [
    *(_value(*value) for value in VALUES),
    native("amount", "12.5", "12.500000000"),
    native("amount", "12", "12.000000000"),
    native("amount", "1e3", "1000.000000000"),
    native("amount", "12345678901234567.89", "12345678901234567.890000000"),
    native("amount", "0.1234567895", "0.123456790"),
    native("amount", "true", None),
    native("amount", "NaN", None),
    native("amount", "Infinity", None),
    native("amount", "-Infinity", None),
    native("amount", "[1]", None),
    native("n", "5", "5"),
    native("n", "5.0", "5"),
    native("n", "18446744073709551616", None),
    native("name", "12345678901234567890123", "12345678901234567890123"),
    native("name", "18446744073709551616", "18446744073709551616"),
    native("name", "5", "5"),
    native("name", "true", "true"),
    native("name", '{"a":[1,2]}', '{"a":[1,2]}'),
    native("flag", "true", "True"),
    native("flag", "0", "False"),
    native("at", "1790000000", None),
    native("doc", '{"a":{"b":[1,null]}}', '{"a":{"b":[1,null]}}'),
    native("doc", "[]", "[]"),
    native("doc", "5", "5"),
    native("doc", "true", "true"),
    lines("no lines", ""),
    lines("empty lines", "\n \n\r\n"),
    lines("no line end at the end", ONE.strip(), CAFE),
    lines("CR LF", ONE.replace("\n", "\r\n") * 2, CAFE * 2),
    lines("CR", (ONE * 2).replace("\n", "\r"), CAFE * 2),
    lines(
        "mixed line ends keep the line numbers",
        ONE + "x\r\n" + ONE.strip() + "\ry\n",
        CAFE * 2,
        [(2, "not JSON"), (4, "not JSON")],
    ),
    lines("a line separator inside a text", _record(id="1", name="a\u2028b"), [{"id": "1", "name": "a\u2028b"}]),
    lines("a byte order mark", ONE, CAFE, encoding="utf-8-sig"),
    lines("UTF-16", ONE, CAFE, encoding="utf-16"),
    lines("UTF-16 without a mark", ONE, CAFE, encoding="utf-16-le"),
    lines("UTF-32", ONE, CAFE, encoding="utf-32"),
    lines("Windows-1252", ONE, CAFE, encoding="windows-1252"),
    Case(
        "UTF-8 with one damaged line",
        "a.jsonl",
        ONE.encode() + b'{"id": "2", "name": "\xe9"}\n' + ONE.encode(),
        CAFE * 2,
        [(2, "not JSON: bytes that are not UTF-8")],
    ),
    lines("a comma after the last field", '{"id": "1",}\n' + ONE, CAFE, [(1, "not JSON")]),
    lines("single quotes", "{'id': '1'}\n" + ONE, CAFE, [(1, "not JSON")]),
    lines("a comment", "// x\n" + ONE, CAFE, [(1, "not JSON")]),
    lines("two records on a line", '{"id": "1"}{"id": "2"}\n' + ONE, CAFE, [(1, "not JSON")]),
    lines("a last line that was cut", ONE + '{"id": "2", "na', CAFE, [(2, "not JSON")]),
    lines("a first line that was cut", 'me": "x"}\n' + ONE, CAFE, [(1, "not JSON")]),
    lines("a record over several lines", '{\n"id": "1"\n}\n', (), [(1, "not JSON"), (2, "not JSON"), (3, "not JSON")]),
    lines("an array of records", '[{"id": "1"}]\n' + ONE, CAFE, [(1, "not a JSON object")]),
    lines("a number", "5\n" + ONE, CAFE, [(1, "not a JSON object")]),
    lines("null", "null\n" + ONE, CAFE, [(1, "not a JSON object")]),
    lines("NaN alone", "NaN\n" + ONE, CAFE, [(1, "not a JSON object")]),
    lines("a line break inside a text", '{"id": "1", "name": "a\nb"}\n' + ONE, CAFE, [(1, "not JSON"), (2, "not JSON")]),
    lines("an escaped line break", '{"id": "1", "name": "a\\nb"}\n', [{"id": "1", "name": "a\nb"}]),
    lines("a raw NUL character", '{"id": "1", "name": "a\0b"}\n' + ONE, CAFE, [(1, "not JSON")]),
    lines("NUL characters at the end, as after a crash", ONE + "\0\0", CAFE, [(2, "not JSON")]),
    lines("half a surrogate", '{"id": "1", "name": "\\ud800"}\n' + ONE, CAFE, [(1, "not JSON")]),
    lines("a number beyond all bounds", '{"id": "1", "amount": 1e400}\n' + ONE, CAFE, [(1, "not JSON")]),
    lines(
        "records that are nested too deep", '{"id": "1", "doc": ' + "[" * 5000 + "]" * 5000 + "}\n" + ONE, CAFE, [(1, "not JSON")]
    ),
    lines(
        "records that are nested too deep, with NaN",
        '{"id": "1", "name": NaN, "doc": ' + "[" * 100_000 + "]" * 100_000 + "}\n" + ONE,
        CAFE,
        [(1, "not JSON")],
    ),
    lines("a key twice: the last counts", '{"id": "1", "name": "x", "name": "y"}\n', [{"id": "1", "name": "y"}]),
    lines("no key", '{"name": "x"}\n' + ONE, CAFE, [(1, "no value for the key id")]),
    lines("a key that is null", '{"id": null}\n' + ONE, CAFE, [(1, "no value for the key id")]),
    lines("an empty record", "{}\n" + ONE, CAFE, [(1, "no value for the key id")]),
    lines(
        "one column in two types",
        _record(id="1", n=5) + _record(id="2", n="x"),
        [{"id": "1", "n": "5"}, {"id": "2", "n__v_text": "x"}],
    ),
    lines("a column that is not declared", _record(id="1", someThing="x"), [{"id": "1", "some_thing": "x"}]),
    lines("names that are alike", _record(id="1", aB="x", a_b="y"), [{"id": "1", "a_b": "x", "a_b_2": "y"}]),
    lines(
        "NaN beside a good value",
        '{"id": "1", "amount": NaN}\n{"id": "2", "amount": 1.5}\n',
        [{"id": "1", "amount__v_text": "NaN"}, {"id": "2", "amount": "1.500000000"}],
    ),
    lines("other endings", ONE, CAFE, file="a.NDJSON"),
    lines("HTML instead of data", "<html>maintenance</html>\n", (), [(1, "not JSON")]),
    Case("gzip", "a.jsonl.gz", PACKED, CAFE),
    Case("gzip with an upper-case ending", "A.JSONL.GZ", PACKED, CAFE),
    Case("gzip without the ending", "a.jsonl", PACKED, CAFE),
    Case("two gzip members", "a.jsonl.gz", PACKED * 2, CAFE * 2),
    Case("a gzip file that was cut", "a.jsonl.gz", PACKED[:-9], [], [(None, "the file cannot be decompressed")]),
    Case("a gzip file without its end mark", "a.jsonl.gz", PACKED[:-4], [], [(None, "the file cannot be decompressed")]),
    Case(
        "a damaged gzip file",
        "a.jsonl.gz",
        PACKED[:12] + b"\xff\xff" + PACKED[14:],
        [],
        [(None, "the file cannot be decompressed")],
    ),
    Case(
        "a gzip ending without gzip",
        "a.jsonl.gz",
        ONE.encode(),
        [],
        [(None, "the name ends in .gz, but the file is not compressed")],
    ),
    Case("an empty file with a gzip ending", "a.jsonl.gz", b""),
    Case("a ZIP archive", "a.jsonl", b"PK\x03\x04\x14\x00", [], [(None, "a ZIP archive")]),
]
