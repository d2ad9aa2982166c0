"""From the address of a list to its rows: search, filters, saved view, order and page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from sqlalchemy import Select, func, select

from engine.kernel.db import db, now
from engine.pages import Column, ListPage

SIZES = (15, 25, 50, 100)
PERIODS = (("1", "Last 24 hours"), ("7", "7 days"), ("30", "30 days"))
EXPORT_LIMIT = 50_000


@dataclass(frozen=True)
class State:
    """What the address says. Unknown names and values are ignored, so that old links keep working."""

    page: ListPage
    search: str
    view: str
    sort: str
    number: int
    size: int
    filters: Mapping[str, str]

    @classmethod
    def from_arguments(cls, page: ListPage, arguments: Mapping[str, str]) -> State:
        """Read the query string."""
        found = {
            column.name: text[:100]
            for column in page.columns
            if column.filterable and (text := arguments.get(f"f.{column.name}", "").strip())
        }
        size, number = arguments.get("rows", ""), arguments.get("page", "")
        sort = arguments.get("sort", "") or page.sort
        column = page.column(sort.lstrip("-"))
        return cls(
            page=page,
            search=arguments.get("q", "").strip()[:100],
            view=next((view.name for view in page.views if view.name == arguments.get("view")), ""),
            sort=sort if column is not None and column.attribute is not None else page.sort,
            number=max(1, int(number)) if number.isascii() and number.isdigit() and len(number) < 7 else 1,
            size=int(size) if size.isdigit() and int(size) in SIZES else SIZES[0],
            filters=found,
        )

    def query_string(self, **changes: Any) -> str:
        """Return the shortest query string for this state with ``changes``, with ``?`` unless empty."""
        state = replace(self, **changes)
        pairs: list[tuple[str, Any]] = [
            ("q", state.search),
            ("view", state.view),
            ("sort", "" if state.sort == self.page.sort else state.sort),
            ("rows", "" if state.size == SIZES[0] else state.size),
            ("page", "" if state.number == 1 else state.number),
            *((f"f.{name}", text) for name, text in state.filters.items()),
        ]
        text = urlencode([(name, value) for name, value in pairs if value not in ("", None)])
        return f"?{text}" if text else ""

    def toggled(self, column: Column) -> str:
        """Return the sort that a click on the column's heading asks for."""
        return f"-{column.name}" if self.sort == column.name else column.name

    def order_of(self, column: Column) -> str:
        """Return ``ascending``, ``descending`` or ``""`` for ``aria-sort``."""
        if self.sort.lstrip("-") != column.name:
            return ""
        return "descending" if self.sort.startswith("-") else "ascending"

    @property
    def narrowed(self) -> bool:
        """Whether rows may be hidden by a search, filter or view."""
        return bool(self.search or self.filters or self.view)


class Rows:
    """The rows of a state, read when asked for."""

    def __init__(self, state: State) -> None:
        self.state = state

    @cached_property
    def selected(self) -> Select[Any]:
        """Every row that passes search, filters and view, without order."""
        page, state = self.state.page, self.state
        query = page.rows()
        if state.search and page.search:
            query = query.where(page.search(state.search))
        for view in page.views:
            if view.name == state.view:
                query = query.where(view.where())
        for name, text in state.filters.items():
            column = page.column(name)
            if column is not None:
                query = query.where(_condition(column, text))
        return query

    @cached_property
    def ordered(self) -> Select[Any]:
        """The selected rows in order; equal ones by id, so that pages do not overlap."""
        page, sort = self.state.page, self.state.sort
        column = page.column(sort.lstrip("-"))
        query = self.selected
        if column is not None and column.attribute is not None:
            attribute = column.attribute
            query = query.order_by(attribute.desc() if sort.startswith("-") else attribute.asc())
        return query.order_by(page.model.id)

    @cached_property
    def total(self) -> int:
        """How many rows there are."""
        return db.session.scalar(select(func.count()).select_from(self.selected.order_by(None).subquery())) or 0

    @cached_property
    def pages(self) -> int:
        """How many pages they fill."""
        return max(1, -(-self.total // self.state.size))

    @cached_property
    def number(self) -> int:
        """The page that is shown; the last one when the address asks for more."""
        return min(self.state.number, self.pages)

    @cached_property
    def shown(self) -> list[Any]:
        """The rows of the page."""
        offset = (self.number - 1) * self.state.size
        return list(db.session.scalars(self.ordered.limit(self.state.size).offset(offset)).unique())

    @property
    def first(self) -> int:
        """Position of the first shown row, from 1."""
        return (self.number - 1) * self.state.size + 1 if self.total else 0

    @property
    def last(self) -> int:
        """Position of the last shown row."""
        return min(self.number * self.state.size, self.total)

    @property
    def steps(self) -> list[int]:
        """The pages to offer, 0 where some are left out."""
        near = {1, self.pages, *range(self.number - 1, self.number + 2)}
        if self.number <= 2:
            near.add(3)
        offered = sorted(step for step in near if 1 <= step <= self.pages)
        result: list[int] = []
        for step in offered:
            if result and step > result[-1] + 1:
                result.append(0)
            result.append(step)
        return result

    def for_export(self) -> list[Any]:
        """Every selected row in order."""
        return list(db.session.scalars(self.ordered.limit(EXPORT_LIMIT)).unique())


def _condition(column: Column, text: str) -> Any:
    if column.where is not None:
        return column.where(text)
    attribute = column.attribute
    if column.kind == "when":
        days = int(text) if text.isdigit() and len(text) < 5 else 36_500
        return attribute >= now() - timedelta(days=days)
    if column.kind == "boolean":
        return attribute.is_(text == "true")
    if column.options:
        return attribute == text
    if column.kind == "phone":
        kept = "".join(sign for sign in text if sign.isdigit() or sign == "+")
        return attribute.startswith(kept, autoescape=True)
    if column.kind == "number":
        digits = text.replace(",", "").removeprefix("-")
        return attribute == (int(text.replace(",", "")) if digits.isdigit() and len(digits) < 18 else -1)
    return attribute.icontains(text, autoescape=True)
