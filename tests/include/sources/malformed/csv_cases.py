"""CSV files that spreadsheets, exports and broken transfers produce."""

from __future__ import annotations

import gzip

from tests.include.sources.malformed.cases import HEADER, VALUES, Case, ids


def csv(about: str, text: str, rows: object = (), rejected: object = (), file: str = "a.csv", encoding: str = "utf-8") -> Case:
    return Case(about, file, text.encode(encoding), list(rows), list(rejected))  # type: ignore[call-overload]


def _cell(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def _value(column: str, text: str, expected: str | None) -> Case:
    loaded = {column: expected} if expected is not None else {f"{column}__v_text": text}
    return csv(f"{column} is {text[:40]!r}", f"id,{column}\n1,{_cell(text)}\n", [{"id": "1"} | loaded])


CAFE = [{"id": "1", "name": "Café Müller"}]
EMPTY = "the file is empty: its first line must name the columns"
PACKED = gzip.compress(b"id,name\n1,x\n")

CASES = [
    *(_value(*value) for value in VALUES),
    csv(
        "all columns",
        f"{HEADER}\n1,x,1,1,2026-10-01,t,{{}}\n",
        [
            {
                "id": "1",
                "name": "x",
                "amount": "1.000000000",
                "n": "1",
                "at": "2026-10-01 00:00:00+00:00",
                "flag": "True",
                "doc": "{}",
            }
        ],
    ),
    csv("no rows", "id,name\n"),
    csv("no line end at the end", "id\n1\n2", ids(1, 2)),
    csv("an empty file", "", (), [(1, EMPTY)]),
    csv("only spaces and empty lines", " \n\r\n\t\n", (), [(1, EMPTY)]),
    csv("empty lines before the header", "\n\nid\n1\n", ids(1)),
    csv("empty lines between rows", "id\n1\n\n\n2\n", ids(1, 2)),
    csv("CR LF", "id,name\r\n1,x\r\n2,y\r\n", [{"id": "1", "name": "x"}, {"id": "2", "name": "y"}]),
    csv("CR", "id,name\r1,x\r2,y\r", [{"id": "1", "name": "x"}, {"id": "2", "name": "y"}]),
    csv(
        "mixed line ends",
        "id,name\r\n1,x\n2,y\r3,z\n",
        [{"id": "1", "name": "x"}, {"id": "2", "name": "y"}, {"id": "3", "name": "z"}],
    ),
    csv(
        "mixed line ends keep the line numbers",
        "id,name\r\n1,x\n2\r3,z\n4\n",
        [{"id": "1", "name": "x"}, {"id": "3", "name": "z"}],
        [(3, "1 fields instead of 2"), (5, "1 fields instead of 2")],
    ),
    csv("a byte order mark", "id,name\n1,Café Müller\n", CAFE, encoding="utf-8-sig"),
    csv("UTF-16", "id,name\n1,Café Müller\n", CAFE, encoding="utf-16"),
    csv("UTF-16 big endian with a mark", "\ufeffid,name\n1,Café Müller\n", CAFE, encoding="utf-16-be"),
    csv("UTF-16 without a mark", "id,name\n1,Café Müller\n", CAFE, encoding="utf-16-le"),
    csv("UTF-16 big endian without a mark", "id,name\n1,Café Müller\n", CAFE, encoding="utf-16-be"),
    csv("UTF-32", "id,name\n1,Café Müller\n", CAFE, encoding="utf-32"),
    csv("Windows-1252", "id,name\n1,Café Müller\n", CAFE, encoding="windows-1252"),
    csv("Windows-1252, one letter", "id,name\n1,é\n", [{"id": "1", "name": "é"}], encoding="windows-1252"),
    csv(
        "Windows-1252 with typographic quotes",
        "id,name\n1,“Größe” – 5 €\n",
        [{"id": "1", "name": "“Größe” – 5 €"}],
        encoding="windows-1252",
    ),
    csv(
        "Windows-1251",
        "id,name\n1,Привет мир\n2,Москва Россия\n",
        [{"id": "1", "name": "Привет мир"}, {"id": "2", "name": "Москва Россия"}],
        encoding="windows-1251",
    ),
    Case(
        "UTF-16 that was cut inside a character",
        "a.csv",
        "\ufeffid,name\n1,x\n2,y".encode("utf-16-le")[:-1],
        [{"id": "1", "name": "x"}],
        [(3, "bytes in column name that are not utf-16")],
    ),
    Case(
        "UTF-8 with one damaged line",
        "a.csv",
        "id,name\n1,Café\n2,".encode() + b"\xe9\n3,z\n",
        [{"id": "1", "name": "Café"}, {"id": "3", "name": "z"}],
        [(3, "bytes in column name that are not utf-8")],
    ),
    Case(
        "UTF-8 cut inside a character",
        "a.csv",
        "id,name\n1,Café\n2,é".encode()[:-1],
        [{"id": "1", "name": "Café"}],
        [(3, "bytes in column name that are not utf-8")],
    ),
    csv("semicolons", "id;name\n1;a,b\n", [{"id": "1", "name": "a,b"}]),
    csv("tabs", "id\tname\n1\ta,b\n", [{"id": "1", "name": "a,b"}]),
    csv("bars", "id|name\n1|a,b\n", [{"id": "1", "name": "a,b"}]),
    csv("Excel's hint of the delimiter", "sep=;\nid;name\n1;x\n2\n", [{"id": "1", "name": "x"}], [(4, "1 fields instead of 2")]),
    csv("only the hint", "sep=;", (), [(1, EMPTY)]),
    csv("a delimiter in a quoted name", '"id","na;me"\n1,x\n', [{"id": "1", "na_me": "x"}]),
    csv("quoted line ends", 'id,name\n1,"a\nb"\n2\n', [{"id": "1", "name": "a\nb"}], [(4, "1 fields instead of 2")]),
    csv("quoted CR LF", 'id,name\r\n1,"a\r\nb"\r\n', [{"id": "1", "name": "a\r\nb"}]),
    csv("doubled quotes", 'id,name\n1,"a ""b"" c"\n', [{"id": "1", "name": 'a "b" c'}]),
    csv("a quote in an unquoted field", 'id,name\n1,5" pipe\n', [{"id": "1", "name": '5" pipe'}]),
    csv(
        "a quote that is not doubled",
        'id,name\n1,"a "b" c"\n2,y\n',
        [{"id": "2", "name": "y"}],
        [(2, "a quote inside a quoted field that is not doubled")],
    ),
    csv(
        "a quote that is never closed",
        'id,name\n1,x\n2,"y\n3,z\n',
        [{"id": "1", "name": "x"}],
        [
            (3, "a quote that is never closed: the rest of the file cannot be read"),
            (4, "inside the quote of line 3 that is never closed"),
        ],
    ),
    csv("a quote that is never closed in the last field", 'id,name\n1,x\n2,"', [{"id": "1", "name": "x"}], [(3, "never closed")]),
    csv("an unclosed quote in the header", 'id,"name\n1,x\n', (), [(1, "the header has a quote that is not closed")]),
    csv("quoted empty values", 'id,name,amount\n1,"",""\n', ids(1)),
    csv("too few fields", "id,name\n1\n2,y\n", [{"id": "2", "name": "y"}], [(2, "1 fields instead of 2")]),
    csv("too many fields", "id,name\n1,x,y\n2,y\n", [{"id": "2", "name": "y"}], [(2, "3 fields instead of 2")]),
    csv("all rows ragged", "id,name\n1\n2,y,z\n", (), [(2, "1 fields"), (3, "3 fields")]),
    csv(
        "a last line that was cut",
        "id,name,amount\n1,x,1\n2,y",
        [{"id": "1", "name": "x", "amount": "1.000000000"}],
        [(3, "2 fields instead of 3")],
    ),
    csv("no key", "id,name\n,x\n2,y\n", [{"id": "2", "name": "y"}], [(2, "no value for the key id")]),
    csv("no key column", "name\nx\n", (), [(2, "no value for the key id")]),
    csv(
        "a key below a record of two lines",
        'id,name\n1,"a\nb"\n,y\n',
        [{"id": "1", "name": "a\nb"}],
        [(4, "no value for the key id")],
    ),
    csv("a NUL character", "id,name\n1,a\0b\n2,y\n", [{"id": "2", "name": "y"}], [(2, "a NUL character in column name")]),
    csv("a NUL character in the header", "id,na\0me\n1,x\n", (), [(1, "the header has a NUL character")]),
    csv(
        "NUL characters at the end, as after a crash",
        "id,name\n1,x\n" + "\0" * 2,
        [{"id": "1", "name": "x"}],
        [(3, "a NUL character in column id")],
    ),
    csv("two columns alike", "id,name,name\n1,x,y\n", (), [(1, "2 columns are named name")]),
    csv("a last column without name and values", "id,name,\n1,x,\n", [{"id": "1", "name": "x"}]),
    csv("a last column without name", "id,name,\n1,x,y\n", [{"id": "1", "name": "x", "column_3": "y"}]),
    csv(
        "a column without name beside one of the name that it gets",
        "id,column_3,\n1,x,y\n",
        [{"id": "1", "column_3": "x", "column_3_2": "y"}],
    ),
    csv("spaces around names", " id , name \n1,x\n", [{"id": "1", "name": "x"}]),
    csv("columns that are not declared", "id,Some Thing\n1,x\n", [{"id": "1", "some_thing": "x"}]),
    csv("an upper-case ending", "id\n1\n", ids(1), file="A.CSV"),
    Case("gzip", "a.csv.gz", PACKED, [{"id": "1", "name": "x"}]),
    Case("gzip with an upper-case ending", "A.CSV.GZ", PACKED, [{"id": "1", "name": "x"}]),
    Case("gzip without the ending", "a.csv", PACKED, [{"id": "1", "name": "x"}]),
    Case("two gzip members", "a.csv.gz", PACKED + gzip.compress(b"2,y\n"), [{"id": "1", "name": "x"}, {"id": "2", "name": "y"}]),
    Case("a gzip file that was cut", "a.csv.gz", PACKED[:-9], [], [(None, "the file cannot be decompressed")]),
    Case(
        "a damaged gzip file",
        "a.csv.gz",
        PACKED[:12] + b"\xff\xff" + PACKED[14:],
        [],
        [(None, "the file cannot be decompressed")],
    ),
    Case(
        "a gzip ending without gzip", "a.csv.gz", b"id\n1\n", [], [(None, "the name ends in .gz, but the file is not compressed")]
    ),
    Case("an Excel workbook", "a.csv", b"PK\x03\x04\x14\x00\x06\x00", [], [(None, "a ZIP archive, such as an Excel workbook")]),
    Case("a picture", "a.csv", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", [], [(1, "not UTF-8, and no other encoding fits")]),
]
