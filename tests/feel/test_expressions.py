"""FEEL by examples: what an expression says, and why it is null."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from engine.feel import FeelSyntaxError, YearsMonths, compile_feel, compile_tests

VALUES: list[tuple[str, Any]] = [
    # numbers are exact
    ("0.1 + 0.2", Decimal("0.3")),
    ("1 / 3 * 3", Decimal("0.9999999999999999999999999999999999")),
    ("2 ** 10", 1024),
    ("-5 + 3", -2),
    ("9007199254740993", 9007199254740993),
    ("round half up(1.005, 2)", Decimal("1.01")),
    ("decimal(1/3, 2)", Decimal("0.33")),
    ("modulo(-12, 5)", 3),
    # ternary logic
    ("null and false", False),
    ("null and true", None),
    ("null or true", True),
    ("not(null)", None),
    ("null = null", True),
    ("1 = null", False),
    ('1 = "1"', None),
    ("null < 1", None),
    # choices
    ('if 1 > 0 then "yes" else "no"', "yes"),
    ("if null then 1 else 2", 2),
    ('if "text" then 1 else 2', None),
    ("5 between 1 and 10", True),
    ("5 in [1..5)", False),
    ("5 in (1, 3, 5)", True),
    ("5 in (<3, >4)", True),
    ('"b" in ["a", "b"]', True),
    # texts
    ('"a" + "b"', "ab"),
    ('substring("foobar", 3)', "obar"),
    ('substring("foobar", -2, 1)', "a"),
    ('substring(string: "foobar", start position: 4)', "bar"),
    ('upper case("aB4")', "AB4"),
    ('replace("a.b", "\\.", "-")', "a-b"),
    ('replace("2026", "(\\d\\d)(\\d\\d)", "$2$1")', "2620"),
    ('matches("foobar", "^fo*b")', True),
    ('split("a,b,c", ",")', ["a", "b", "c"]),
    ('string join(["a", "b"], "-")', "a-b"),
    ("string(1.50)", "1.5"),
    ('string([1, "a"])', '[1, "a"]'),
    ('number("1 000,5", " ", ",")', Decimal("1000.5")),
    # lists
    ("[1, 2, 3][2]", 2),
    ("[1, 2, 3][-1]", 3),
    ("[1, 2, 3][item > 1]", [2, 3]),
    ("[{a: 1, b: 2}, {a: 3, b: 4}][a > 1].b", [4]),
    ("for i in 1..3 return i * i", [1, 4, 9]),
    ("for i in 1..4 return if i <= 2 then 1 else partial[-1] + partial[-2]", [1, 1, 2, 3]),
    ("for x in [1, 2], y in [10, 20] return x + y", [11, 21, 12, 22]),
    ("some x in [1, 2] satisfies x > 1", True),
    ("every x in [1, 2] satisfies x > 1", False),
    ("count([1, 2, 3])", 3),
    ("sum(1, 2, 3)", 6),
    ("max([1, 5, 3])", 5),
    ("sort([3, 1, 2], function(x, y) x > y)", [3, 2, 1]),
    ("distinct values([1, 2, 1])", [1, 2]),
    ("flatten([[1, [2]], 3])", [1, 2, 3]),
    ("list contains([1, null], null)", True),
    ("concatenate([1], [2])", [1, 2]),
    # contexts
    ("{a: 1, b: a + 1}.b", 2),
    ("{fac: function(n) if n < 2 then 1 else n * fac(n - 1), r: fac(20)}.r", 2432902008176640000),
    ('get value({a: 1}, "a")', 1),
    ("context merge([{a: 1}, {b: 2}])", {"a": 1, "b": 2}),
    ('{"a b": 1}.a b', 1),
    # times
    ('date("2027-01-31") + duration("P1M")', date(2027, 2, 28)),
    ('@"2027-03-01" - @"2027-02-01"', timedelta(28)),
    ('@"PT90M" / @"PT1H"', Decimal("1.5")),
    ('duration("P1Y2M") + @"P1M"', YearsMonths(15)),
    ('date and time("2026-03-29T01:30:00Z") = date and time("2026-03-29T02:30:00+01:00")', True),
    ('@"2026-06-01T12:00:00".hour', 12),
    ('@"2026-06-01".weekday', 1),
    ('day of week(@"2026-06-01")', "Monday"),
    ('time("10:30:00") < @"11:00:00"', True),
    ('years and months duration(@"2020-02-29", @"2027-02-28")', YearsMonths(83)),
    ("[1..3].start", 1),
    ("before([1..3], 4)", True),
    ("overlaps([1..3], [3..5])", True),
    ("3 instance of number", True),
    # names
    ("local time.hour + 1", 13),
    ("customer.orders[amount > 10].amount", [20, 30]),
]

DATA = {
    "local time": datetime(2026, 6, 1, 12, tzinfo=UTC),
    "customer": {"orders": [{"amount": 10}, {"amount": 20}, {"amount": 30.0}]},
}


@pytest.mark.parametrize(("text", "expected"), VALUES, ids=[text for text, _ in VALUES])
def test_an_expression_has_its_value(text: str, expected: Any) -> None:
    value = compile_feel(text).evaluate(DATA)
    assert value == expected
    assert type(value) is type(expected)


def test_floats_of_the_process_are_read_as_they_print() -> None:
    assert compile_feel("a + b").evaluate({"a": 0.1, "b": 0.2}) == Decimal("0.3")


def test_whole_numbers_leave_as_int_as_far_as_json_carries_them() -> None:
    assert type(compile_feel("2 ** 62").evaluate({})) is int
    large = compile_feel("10 ** 20 + 1").evaluate({})
    assert (type(large), large) == (Decimal, Decimal("100000000000000000001"))
    assert type(compile_feel("9223372036854775807 + 1").evaluate({})) is Decimal


def test_variables_are_not_changed() -> None:
    data = {"list": [1, {"a": 0.5}]}
    compile_feel("append(list, 3)").evaluate(data)
    assert data == {"list": [1, {"a": 0.5}]}


def test_an_instant_is_shown_on_the_clocks_of_a_zone() -> None:
    value = compile_feel('in time zone(at, "Europe/Berlin")').evaluate({"at": datetime(2026, 7, 1, 10, tzinfo=UTC)})
    assert value.tzinfo == ZoneInfo("Europe/Berlin")
    assert value.time() == time(12)


def test_a_day_added_over_the_change_of_clocks_is_24_hours() -> None:
    before = datetime(2026, 3, 28, 12, tzinfo=ZoneInfo("Europe/Berlin"))
    after = compile_feel('at + duration("PT24H")').evaluate({"at": before})
    assert after.astimezone(UTC) - before.astimezone(UTC) == timedelta(hours=24)
    assert after.hour == 13


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("caller.name + 1", "null has no member 'name'"),
        ("1 / 0", "1 / 0: DivisionByZero"),
        ('"a" < 1', "string and number have no order"),
        ('date("2027-02-30")', "date: "),
        ("sum([])", "sum: the list is empty"),
        ("substring(1, 2)", "substring: 1 is not a string"),
        ("[1, 2][5]", "there is no item 5 in a list of 2"),
        ("count()", "count: 0 arguments do not fit"),
    ],
)
def test_every_null_has_a_cause(text: str, cause: str) -> None:
    value, causes = compile_feel(text).explain({})
    assert value is None or text == "count()"
    assert any(cause in found for found in causes), causes


@pytest.mark.parametrize(
    ("text", "column"),
    [("1 +", 4), ("if a then b", 12), ("(1", 3), ('"open', 1), ("a = = b", 5), ("for x in y", 11), ('@"nonsense"', 2)],
)
def test_a_text_that_is_no_expression_is_refused_with_its_column(text: str, column: int) -> None:
    with pytest.raises(FeelSyntaxError) as refusal:
        compile_feel(text)
    assert refusal.value.details["column"] == column


@pytest.mark.parametrize(
    ("tests", "value", "passes"),
    [
        ("-", None, True),
        ('"a", "b"', "b", True),
        ('not("a", "b")', "b", False),
        ("[1..3], > 10", 11, True),
        ("< limit", 4, True),
        ("? > 1 and ? < limit", 5, False),
        ("listed", 2, True),
        ("null", None, True),
        ("not(null)", 1, True),
        ("true", False, False),
        ('@"2027-01-01"', date(2027, 1, 1), True),
        ("[opens..closes)", "24:00", False),
        ("[opens..closes)", "08:00", True),
    ],
)
def test_unary_tests_pass_values(tests: str, value: Any, passes: bool) -> None:
    data = {"limit": 5, "listed": [1, 2], "opens": "08:00", "closes": "24:00"}
    assert (compile_tests(tests).matches(data, value) is True) is passes
