"""Value types keep their rules."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import orjson
import pytest

from engine.kernel.errors import InvalidInput
from engine.kernel.types import E164, MASK, Money, Secret, to_json


@pytest.mark.parametrize("text", ["030 123456", "+49 (30) 123456", "0049 30 123456", "+4930123456"])
def test_numbers_are_read_as_people_write_them(text: str) -> None:
    assert E164.parse(text, "DE") == "+4930123456"


@pytest.mark.parametrize("text", ["", "hello", "+49", "123456789012345678901", "12"])
def test_what_cannot_be_a_number_is_refused_by_field(text: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        E164.parse(text, "DE")
    assert "number" in caught.value.fields


@pytest.mark.parametrize("text", ["4930123456", "+49 30", "+", "+1234567890123456", "+49٣٠١٢٣"])
def test_only_e164_is_e164(text: str) -> None:
    with pytest.raises(InvalidInput):
        E164(text)


def test_two_currencies_do_not_mix() -> None:
    assert Money(Decimal("0.1"), "EUR") + Money(Decimal("0.2"), "EUR") == Money(Decimal("0.3"), "EUR")
    with pytest.raises(InvalidInput):
        Money(Decimal(1), "EUR") + Money(Decimal(1), "USD")


@pytest.mark.parametrize("amount", [1.5, Decimal("NaN"), Decimal("Infinity")])
def test_money_is_a_finite_decimal(amount: Decimal) -> None:
    with pytest.raises(InvalidInput):
        Money(amount, "EUR")


def test_a_secret_shows_only_on_purpose() -> None:
    pin = Secret("4711")
    shown = f"{pin} {pin!r} {pin!s} {pin:>10}" + to_json({"pin": pin}).decode()
    assert "4711" not in shown
    assert MASK in shown
    assert pin.reveal() == "4711"


def test_json_keeps_decimals_and_instants_as_text() -> None:
    instant = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    value = {"money": Money(Decimal("1.10"), "EUR"), "at": instant, "for": timedelta(seconds=1.5), "set": {2, 1}}
    assert orjson.loads(to_json(value)) == {
        "money": {"amount": "1.10", "currency": "EUR"},
        "at": "2026-01-02T03:04:05+00:00",
        "for": 1.5,
        "set": [1, 2],
    }


def test_json_refuses_what_it_does_not_know() -> None:
    with pytest.raises(TypeError):
        to_json(object())
