"""The report "Calls": what is selected for it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Row, func, or_, select

from engine.kernel.actor import current_actor, scoped
from engine.kernel.db import db, now
from engine.kernel.errors import InvalidInput, NotPermitted
from engine.kernel.types import E164
from media.models import Call
from modules.administration import brand_of
from modules.identity import find_tenant
from modules.reporting.periods import Period, find_period

ROWS_LIMIT = 20_000

RESULTS = {
    "cancelled": "gave up",
    "no_answer": "no answer",
    "agent_lost": "failed",
    None: "not answered",
    "hangup": "not answered",
}
CHART_TITLES = {"hour": "Calls per hour", "day": "Calls per day", "week": "Calls per week", "month": "Calls per month"}


def select_calls(given: Mapping[str, str], *, today: date | None = None) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return data and parameters of the report for what the actor may see.

    ``given``: ``period`` or ``from`` and ``to`` (days), ``number`` (one of ours, else a caller's). Raises
    ``InvalidInput``, also when the period has more than 20,000 calls.
    """
    actor = current_actor()
    if actor is None:
        raise NotPermitted("Nobody acts here, so it is not known whose calls to report.")
    tenant = find_tenant(actor.tenant_id)
    day = today or now().astimezone(ZoneInfo(tenant.timezone)).date()
    period = find_period(
        given.get("period", ""), given.get("from", ""), given.get("to", ""), today=day, zone=tenant.timezone
    )
    number = _number(given.get("number", ""))
    calls = _calls(period, number)
    talked = [seconds for call in calls if (seconds := _seconds(call)) is not None]
    data = {"rows": [_row(call, period.zone) for call in calls], "days": _bars(calls, period)}
    parameters = {
        "tenant": tenant.name,
        "period": period.title,
        "number": _shown(number) if number else "All numbers",
        "time_zone": tenant.timezone,
        "made_at": _local(now(), tenant.timezone),
        "colour": brand_of(tenant.id)["to"],
        "chart_title": CHART_TITLES[period.step],
        "total": len(calls),
        "answered": len(talked),
        "talk_time": f"{sum(talked) // 3600}:{sum(talked) // 60 % 60:02}",
        "average": _clock(round(sum(talked) / len(talked)) if talked else 0),
    }
    return data, parameters


def reported_numbers() -> list[str]:
    """Return the numbers that were called, most called first, for choosing one."""
    actor = current_actor()
    query = (
        select(Call.to_number)
        .where(Call.tenant_id.in_(actor.tenant_ids if actor else ()), Call.direction == "inbound")
        .group_by(Call.to_number)
        .order_by(func.count().desc(), Call.to_number)
        .limit(50)
    )
    return list(db.session.scalars(query))


def _calls(period: Period, number: str) -> Sequence[Row[Any]]:
    query = scoped(
        Call,
        *(Call.started_at, Call.answered_at, Call.ended_at, Call.direction, Call.from_number, Call.to_number),
        *(Call.state, Call.cause),
    ).where(Call.started_at >= period.start, Call.started_at < period.end)
    if number:
        query = query.where(or_(Call.to_number == number, Call.from_number == number))
    calls = db.session.execute(query.order_by(Call.started_at, Call.id).limit(ROWS_LIMIT + 1)).all()
    if len(calls) > ROWS_LIMIT:
        raise InvalidInput(
            f"The period has more than {ROWS_LIMIT:,} calls.", {"period": "Choose a shorter period, or one number."}
        )
    return calls


def _number(text: str) -> str:
    """Return a number as calls have it: E.164 or an extension's digits."""
    digits = "".join(character for character in text if character not in " -()/")
    if digits and not (digits.isascii() and digits.removeprefix("+").isdigit()):
        raise InvalidInput(f"{text!r} is no number.", {"number": "Write digits, or + and the country code."})
    return digits


def _seconds(call: Row[Any]) -> int | None:
    """Return how long people talked; None when nobody answered."""
    if call.answered_at is None:
        return None
    return max(0, round(((call.ended_at or now()) - call.answered_at).total_seconds()))


def _result(call: Row[Any]) -> str:
    if call.answered_at is not None:
        return "answered"
    if call.state != "ended":
        return "ringing"
    return RESULTS.get(call.cause, (call.cause or "").replace("_", " "))


def _row(call: Row[Any], zone: str) -> dict[str, Any]:
    seconds = _seconds(call) or 0
    return {
        "started": _local(call.started_at, zone),
        "direction": call.direction,
        "from": _shown(call.from_number) or "withheld",
        "from_number": _harmless(call.from_number),
        "to": _shown(call.to_number),
        "to_number": _harmless(call.to_number),
        "result": _result(call),
        "seconds": seconds,
        "length": _clock(seconds),
    }


def _bars(calls: Sequence[Row[Any]], period: Period) -> list[dict[str, Any]]:
    buckets = list(period.buckets())
    bars = [{"day": bucket.label, "answered": 0, "missed": 0} for bucket in buckets]
    starts = [bucket.start for bucket in buckets]
    for call in calls:
        bar: dict[str, Any] = bars[bisect_right(starts, call.started_at) - 1]
        bar["missed" if call.answered_at is None else "answered"] += 1
    return bars


def _local(instant: datetime, zone: str) -> str:
    """Return the local time without its zone: reports show it as it is."""
    return instant.astimezone(ZoneInfo(zone)).replace(tzinfo=None, microsecond=0).isoformat()


def _clock(seconds: int) -> str:
    return f"{seconds // 60}:{seconds % 60:02}"


def _shown(number: str) -> str:
    if number.startswith("+") and number[1:].isdigit():
        return E164(number).display()
    return number


def _harmless(text: str) -> str:
    """Return text that a spreadsheet does not run: a caller may put anything where his number should be."""
    if text[:1] in ("=", "+", "-", "@", "\t", "\r") and not text[1:].isdigit():
        return f"'{text}"
    return text
