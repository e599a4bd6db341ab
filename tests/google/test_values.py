"""Values in the evaluator's protocol buffers and in the REST API. The bytes expected are worked out by hand."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from decimal import Decimal

import pytest

from tests.google.types import Column
from tests.google.values import Value, of_parameters, to_proto, to_rest

_MOMENT = datetime(2026, 1, 5, 10, 11, 12, 500_000)


@pytest.mark.parametrize(
    ("kind", "value", "rest"),
    [
        ("INT64", -5, "-5"),
        ("FLOAT64", 1.5, "1.5"),
        ("FLOAT64", float("-inf"), "-Infinity"),
        ("BOOL", False, "false"),
        ("STRING", "é", "é"),
        ("STRING", "", ""),
        ("BYTES", b"ab", "YWI="),
        ("NUMERIC", Decimal("1.5"), "1.5"),
        ("NUMERIC", Decimal("-100"), "-100"),
        ("NUMERIC", Decimal("0"), "0"),
        ("NUMERIC", Decimal("99999999999999999999999999999.999999999"), "99999999999999999999999999999.999999999"),
        ("BIGNUMERIC", Decimal("-0.00000000000000000000000000000000000001"), "-0.00000000000000000000000000000000000001"),
        ("DATE", date(1969, 12, 31), "1969-12-31"),
        ("DATETIME", _MOMENT, "2026-01-05T10:11:12.500000"),
        ("TIME", time(10, 11, 12), "10:11:12"),
        # 2026-01-05 is day 20458 since 1970; 20458 × 86400 s + 36672.5 s.
        ("TIMESTAMP", _MOMENT.replace(tzinfo=UTC), "1767607872500000"),
        ("TIMESTAMP", datetime(1969, 12, 31, 23, 59, 59, 500_000, UTC), "-500000"),
        ("TIMESTAMP", datetime(1970, 1, 1, tzinfo=UTC), "0"),
        ("JSON", '{"a":[1,null]}', '{"a":[1,null]}'),
    ],
)
def test_a_value_comes_back(kind: str, value: object, rest: str) -> None:
    column = Column("c", kind)
    made = to_proto(value, column)
    assert to_rest(made, column) == rest
    if kind != "TIMESTAMP":  # A REST answer writes it as a number, a file does not.
        assert to_proto(rest, column) == made


def test_numbers_are_the_shortest_twos_complement() -> None:
    numeric = Column("n", "NUMERIC")
    # 1.5 × 10⁹ = 0x59682F00; 0.000000128 is 128, whose lone byte would be negative; -128 fits one byte.
    assert to_proto("1.5", numeric).numeric_value == b"\x00\x2f\x68\x59"
    assert to_proto("0.000000128", numeric).numeric_value == b"\x80\x00"
    assert to_proto("-0.000000128", numeric).numeric_value == b"\x80"
    assert to_proto(0, numeric).numeric_value == b"\x00"


def test_times_are_packed_in_bit_fields() -> None:
    made = to_proto("2026-01-05 10:11:12.5", Column("d", "DATETIME")).datetime_value
    # Year, month (4 bits), day (5), hour (5), minute (6), second (6).
    assert made.bit_field_datetime_seconds == ((((2026 * 16 + 1) * 32 + 5) * 32 + 10) * 64 + 11) * 64 + 12
    assert made.nanos == 500_000_000
    # Hour, minute (6 bits), second (6), nanoseconds (30).
    assert to_proto("10:11:12", Column("t", "TIME")).time_value == ((10 * 64 + 11) * 64 + 12) * 2**30


def test_null_is_no_zero_and_a_stored_array_is_never_null() -> None:
    assert to_proto(None, Column("n", "INT64")) == Value()
    assert to_rest(Value(), Column("n", "INT64")) is None
    array = Column("a", "INT64", "REPEATED")
    assert to_proto(None, array).HasField("array_value")
    assert to_rest(to_proto(None, array), array) == []
    assert to_rest(Value(), array) == []


def test_structs_nest() -> None:
    column = Column("s", "STRUCT", "REPEATED", fields=(Column("x", "INT64"), Column("y", "STRING")))
    made = to_proto([{"x": 1, "y": None}], column)
    assert to_rest(made, column) == [{"v": {"f": [{"v": "1"}, {"v": None}]}}]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-01-05 12:00:00+02:00", datetime(2026, 1, 5, 10, tzinfo=UTC)),
        ("2026-01-05T10:00:00Z", datetime(2026, 1, 5, 10, tzinfo=UTC)),
        ("2026-01-05 10:00:00 UTC", datetime(2026, 1, 5, 10, tzinfo=UTC)),
        ("2026-01-05 10:00:00", datetime(2026, 1, 5, 10, tzinfo=UTC)),
    ],
)
def test_timestamps_are_read_in_the_ways_that_files_write_them(text: str, expected: datetime) -> None:
    column = Column("t", "TIMESTAMP")
    assert to_proto(text, column).timestamp_value.seconds == expected.timestamp()


@pytest.mark.parametrize(("kind", "text"), [("INT64", "x"), ("DATE", "2026-13-01"), ("BOOL", "maybe"), ("JSON", "{")])
def test_a_text_of_another_type_is_refused(kind: str, text: str) -> None:
    with pytest.raises(ValueError, match=f"c: .* is not {kind}"):
        to_proto(text, Column("c", kind))


def test_query_parameters() -> None:
    name, column, value = of_parameters(
        [
            {
                "name": "ids",
                "parameterType": {"type": "ARRAY", "arrayType": {"type": "INT64"}},
                "parameterValue": {"arrayValues": [{"value": "1"}, {"value": "2"}]},
            }
        ]
    )[0]
    assert (name, column.mode, to_rest(value, column)) == ("ids", "REPEATED", [{"v": "1"}, {"v": "2"}])
    [(_, column, value)] = of_parameters([{"name": "n", "parameterType": {"type": "DATE"}, "parameterValue": {"value": None}}])
    assert value == Value()
