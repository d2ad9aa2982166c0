"""Declarative list pages: a list with search, filters and paging, beside it a preview, and forms to add and edit.

    add_list(
        ListPage(
            name="directory.contacts", url="/directory/contacts", section="Directory", title="Contacts",
            singular="contact", model=Contact, roles=STAFF, edit_roles=("customer_admin",),
            columns=(
                Column("name", "Name", Contact.name, kind="person"),
                Column("number", "Number", show=lambda row: Phone(row.number), where=has_number, under=True),
                Column("consent", "Consent", Contact.consent, kind="status", choices=CONSENT, show=consent, keep=True),
            ),
            search=lambda text: Contact.name.icontains(text, autoescape=True),
            preview=preview, form=form, create=create, update=update, delete=delete,
        )
    )

``create``, ``update`` and ``delete`` get data that has passed the form's JSON schema, run inside the request's
unit of work and raise ``InvalidInput`` with JSON pointers (``/numbers/0/number``) for what only they can know.
Rows come from ``scoped(model)``, so nobody meets a foreign tenant's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from sqlalchemy import ColumnElement, Select

from engine.kernel.actor import scoped
from engine.kernel.db import db
from engine.kernel.errors import NotFound
from engine.pages.registry import NavItem, NavSection, add_to_navigation

Row = Any
Condition = ColumnElement[bool]
#: value and what people read
Choices = Sequence[tuple[str, str]]
StatusWord = Literal["running", "waiting", "completed", "incident", "cancelled", "suspended"]


@dataclass(frozen=True, slots=True)
class Status:
    """A status chip. The word sets the colour, the text says what it means here."""

    word: StatusWord
    text: str
    icon: str = ""


@dataclass(frozen=True, slots=True)
class Link:
    """A value or an action that leads somewhere."""

    text: str
    url: str
    icon: str = ""
    #: who is offered it; empty: everybody who sees the page
    roles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Phone:
    """A number or extension, written as people write it."""

    number: str | None


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a section: an event, a memo, a device."""

    title: str
    detail: str = ""
    icon: str = ""
    status: Status | None = None
    url: str = ""


@dataclass(frozen=True, slots=True)
class Audio:
    """A recording to listen to: the address of the sound, what it is, and how long it takes (0 when unknown)."""

    url: str
    title: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Section:
    """A collapsible part of a preview: facts, lines, recordings, labels or plain text.

    Values of facts may be text, numbers, instants, ``None``, ``Status``, ``Link``, ``Phone`` or a list of labels.
    """

    title: str
    facts: Sequence[tuple[str, Any]] = ()
    lines: Sequence[Line] = ()
    audio: Sequence[Audio] = ()
    labels: Sequence[str] = ()
    text: str = ""
    open: bool = True
    count: int | None = None


@dataclass(frozen=True, slots=True)
class Preview:
    """What the pane beside the list shows of one row."""

    title: str
    sections: Sequence[Section]
    subtitle: str = ""
    status: Status | None = None
    links: Sequence[Link] = ()


@dataclass(frozen=True, slots=True)
class Form:
    """A JSON schema with what to show first. ``ui`` is a uiSchema: widgets, help, order."""

    schema: dict[str, Any]
    data: dict[str, Any] = field(default_factory=dict)
    ui: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Column:
    """One column. Without ``attribute`` it cannot be sorted; without it and ``where`` it cannot be filtered."""

    name: str
    title: str
    #: what is sorted and filtered by
    attribute: Any = None
    #: ``person`` shows an avatar before the text; ``when`` expects an instant
    kind: Literal["text", "person", "number", "phone", "when", "labels", "status", "boolean", "code"] = "text"
    #: the value to show (see ``Section``); the row's attribute of the column's name when not given
    show: Callable[[Row], Any] | None = None
    #: fixed choices of the filter, or what returns them
    choices: Choices | Callable[[], Choices] = ()
    #: own condition for the filter's text
    where: Callable[[str], Condition] | None = None
    #: pixels; the rest is shared by columns without a width
    width: int | None = None
    #: on phones: second line below the first column
    under: bool = False
    #: on phones: stays at the right
    keep: bool = False

    def value(self, row: Row) -> Any:
        """Return what the column shows of a row."""
        return self.show(row) if self.show else getattr(row, self.name)

    @property
    def options(self) -> Choices:
        """The filter's choices."""
        return self.choices() if callable(self.choices) else self.choices

    @property
    def filterable(self) -> bool:
        """Whether the filter row has a field for it."""
        return self.attribute is not None or self.where is not None


@dataclass(frozen=True, slots=True)
class View:
    """A saved view: a name for a condition."""

    name: str
    title: str
    where: Callable[[], Condition]


@dataclass(frozen=True, slots=True)
class Action:
    """Something to do with one row, beside Edit. ``run`` returns the sentence that says it was done."""

    name: str
    title: str
    run: Callable[[Row], str]
    icon: str = ""
    #: whether the row offers it now
    when: Callable[[Row], bool] | None = None
    danger: bool = False
    #: question asked before
    confirm: str = ""
    #: the sentence stays until it is dismissed
    sticky: bool = False


@dataclass(frozen=True, slots=True)
class Empty:
    """What an empty list says: what it is for, and how to begin."""

    title: str
    text: str
    icon: str = "inbox"


@dataclass(frozen=True, slots=True)
class Importer:
    """CSV import with a preview. ``fields`` are name, title and whether it must be there.

    ``check`` gets one mapped row and returns the data for ``create``; it raises ``InvalidInput`` for a row that must
    be skipped. Nothing is written before the person has seen the preview, and then all good rows or none.
    """

    fields: Sequence[tuple[str, str, bool]]
    check: Callable[[dict[str, str]], dict[str, Any]]
    #: identifies a row, so that duplicates inside the file and known ones are skipped
    key: Callable[[dict[str, Any]], str]
    known: Callable[[Iterable[str]], set[str]]
    #: other headings that are understood: ``{"phone": "number"}``
    aliases: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ListPage:
    """One list with its preview and forms."""

    name: str
    url: str
    section: NavSection
    title: str
    singular: str
    model: Any
    columns: tuple[Column, ...]
    roles: tuple[str, ...]
    #: who may add, change, delete and import
    edit_roles: tuple[str, ...] = ()
    #: condition for the search field
    search: Callable[[str], Condition] | None = None
    #: column name, with ``-`` before it for descending
    sort: str = ""
    views: tuple[View, ...] = ()
    #: narrows the tenant's rows further
    query: Callable[[Select[Any]], Select[Any]] | None = None
    preview: Callable[[Row], Preview] | None = None
    form: Callable[[Row | None], Form] | None = None
    create: Callable[[dict[str, Any]], Row] | None = None
    update: Callable[[Row, dict[str, Any]], None] | None = None
    delete: Callable[[Row], None] | None = None
    actions: tuple[Action, ...] = ()
    importer: Importer | None = None
    #: further links in the action bar
    links: tuple[Link, ...] = ()
    empty: Empty | None = None
    order: int = 50
    #: what a row is called in messages
    row_title: Callable[[Row], str] = lambda row: str(getattr(row, "name", row.id))

    def rows(self) -> Select[Any]:
        """Return the select of all rows that the actor may see here."""
        select = scoped(self.model)
        return self.query(select) if self.query else select

    def find(self, row_id: str) -> Row:
        """Return one row. Raises ``NotFound`` for a foreign or unknown one."""
        row = db.session.scalar(self.rows().where(self.model.id == row_id))
        if row is None:
            raise NotFound(f"This {self.singular} does not exist any more, or is not yours to see.")
        return row

    def column(self, name: str) -> Column | None:
        """Return the column of that name."""
        return next((column for column in self.columns if column.name == name), None)


_lists: dict[str, ListPage] = {}


def add_list(page: ListPage) -> ListPage:
    """Register the page and put it into the navigation. Raises ``ValueError`` for one that cannot work."""
    names = [column.name for column in page.columns]
    if len(set(names)) != len(names):
        raise ValueError(f"list {page.name}: a column name is used twice")
    if page.sort and (page.column(page.sort.lstrip("-")) or Column("", "")).attribute is None:
        raise ValueError(f"list {page.name}: there is no column to sort by {page.sort!r}")
    if (page.create or page.update) and not page.form:
        raise ValueError(f"list {page.name}: create and update need a form")
    if (page.create or page.update or page.delete or page.actions) and not page.edit_roles:
        raise ValueError(f"list {page.name}: edit_roles say who may change rows")
    _lists[page.name] = page
    add_to_navigation(NavItem(page.section, page.title, page.url, page.roles, page.order))
    return page


def find_list(name: str) -> ListPage:
    """Return the page. Raises ``NotFound``."""
    if name not in _lists:
        raise NotFound(f"There is no list {name!r}.", code="pages.unknown")
    return _lists[name]


def all_lists() -> list[ListPage]:
    """Return every registered list page, by name."""
    return [_lists[name] for name in sorted(_lists)]
