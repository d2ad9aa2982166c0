"""Value types: money, phone numbers, secrets, and their JSON form."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Any, Self

import orjson
import phonenumbers
from pydantic import BaseModel, GetCoreSchemaHandler
from pydantic_core import core_schema

from engine.kernel.errors import InvalidInput

MASK = "••••"


class E164(str):
    """A phone number in E.164 form (ITU-T E.164): ``+`` and at most 15 digits."""

    __slots__ = ()

    def __new__(cls, value: str) -> Self:
        """Accept text already in E.164 form; raise ``InvalidInput`` otherwise."""
        if not (value.startswith("+") and value[1:].isascii() and value[1:].isdigit() and 3 <= len(value) <= 16):
            raise InvalidInput(
                f"{value!r} is not a phone number in E.164 form, such as +4930123456.",
                {"number": "Write it as + and the country code, without spaces."},
            )
        return super().__new__(cls, value)

    @classmethod
    def parse(cls, text: str, region: str) -> Self:
        """Read a number as people write it; national forms are read in ``region`` (ISO 3166).

        Raises ``InvalidInput`` when it cannot be a phone number.
        """
        try:
            number = phonenumbers.parse(text, region)
        except phonenumbers.NumberParseException as error:
            raise InvalidInput(
                f"{text!r} is not a phone number.", {"number": f"Not a phone number: {text!r}."}
            ) from error
        # a number that is only possible inside an area is an extension, not something the world can call
        if phonenumbers.is_possible_number_with_reason(number) != phonenumbers.ValidationResult.IS_POSSIBLE:
            raise InvalidInput(
                f"{text!r} cannot be a phone number: wrong length for its country.",
                {"number": "Too short or too long for its country."},
            )
        return cls(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))

    def display(self) -> str:
        """Return the international form with spaces, for people."""
        number = phonenumbers.parse(self)
        return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.no_info_after_validator_function(cls, core_schema.str_schema())


class Secret(str):
    """Text that must not be shown: a PIN, a password, card digits. Prints as a mask; ``reveal`` gives the text."""

    __slots__ = ()

    def __repr__(self) -> str:
        return MASK

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return MASK

    def reveal(self) -> str:
        """Return the text itself."""
        return str.__str__(self)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.no_info_after_validator_function(cls, core_schema.str_schema())


@dataclass(frozen=True, slots=True, order=True)
class Money:
    """An amount in a currency (ISO 4217). Never a float; amounts of two currencies do not mix."""

    amount: Decimal
    currency: str

    def __post_init__(self) -> None:
        if not isinstance(self.amount, Decimal) or not self.amount.is_finite():
            raise InvalidInput("An amount of money is a finite decimal.", {"amount": "Write a decimal number."})
        if len(self.currency) != 3 or not self.currency.isupper():
            raise InvalidInput(
                f"{self.currency!r} is not a currency code.", {"currency": "Three capital letters, such as EUR."}
            )

    def _same(self, other: Money) -> Decimal:
        if self.currency != other.currency:
            raise InvalidInput(f"{self.currency} and {other.currency} do not add up.", {"currency": "Convert first."})
        return other.amount

    def __add__(self, other: Money) -> Money:
        return Money(self.amount + self._same(other), self.currency)

    def __sub__(self, other: Money) -> Money:
        return Money(self.amount - self._same(other), self.currency)

    def __mul__(self, factor: Decimal | int) -> Money:
        return Money(self.amount * factor, self.currency)

    def __str__(self) -> str:
        return f"{self.amount} {self.currency}"


def _plain(value: Any) -> Any:
    match value:
        case Secret():
            return MASK
        case Decimal():
            return str(value)
        case Money():
            return {"amount": str(value.amount), "currency": value.currency}
        case timedelta():
            return value.total_seconds()
        case BaseModel():
            return value.model_dump(mode="json")
        case set() | frozenset():
            return sorted(value)
        case Enum():
            return value.value
        case Path():
            return str(value)
        case str():
            return str.__str__(value)
        case datetime() | date():
            return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no JSON form")


def to_json(value: Any) -> bytes:
    """Return ``value`` as JSON for people and columns: decimals as text, secrets masked, sets sorted.

    This is a one-way form. Process data, which must come back with its types, uses the engine's own codec.
    Raises ``TypeError`` for a type without JSON form.
    """
    return orjson.dumps(value, default=_plain, option=orjson.OPT_PASSTHROUGH_SUBCLASS | orjson.OPT_NON_STR_KEYS)
