"""Draws every registered list page: list with preview, forms, delete, actions, export.

Each page gets its own addresses and endpoints (``list.directory.contacts.index``), and its own roles.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from typing import Any

from flask import Flask, Response, current_app, redirect, render_template, request
from flask.typing import ResponseReturnValue

from engine.kernel.actor import current_actor
from engine.kernel.errors import InvalidInput, NotFound, NotPermitted
from engine.pages import ListPage, all_lists, allow, may_open
from ui import forms, imports
from ui.filters import zone
from ui.listing import PERIODS, SIZES, Rows, State
from ui.shell import toast
from ui.values import plain, safe_cell, shown

BULK_LIMIT = 500


def init_lists(app: Flask) -> None:
    """Add the addresses of all registered list pages."""
    app.jinja_env.globals["shown"] = shown
    for page in all_lists():
        ListViews(page).register(app)


class ListViews:
    """The views of one list page."""

    def __init__(self, page: ListPage) -> None:
        self.page = page

    def register(self, app: Flask) -> None:
        """Add what the page can do, each for the roles it is open to."""
        page, url = self.page, self.page.url
        self._add(app, "index", "", self.index, page.roles)
        self._add(app, "export", "/export.csv", self.export, page.roles)
        if page.create and page.form:
            self._add(app, "new", "/new", self.new, page.edit_roles, "GET", "POST")
        if page.importer and page.create:
            importing = imports.ImportViews(page)
            self._add(app, "import", "/import", importing.start, page.edit_roles, "GET", "POST")
            self._add(app, "import_template", "/import/example.csv", importing.example, page.edit_roles)
            self._add(app, "import_run", "/import/<import_id>", importing.review, page.edit_roles, "GET", "POST")
        if page.delete:
            self._add(app, "delete", "/delete", self.delete, page.edit_roles, "POST")
        if page.preview:
            self._add(app, "show", "/<row_id>", self.show, page.roles)
        if page.update and page.form:
            self._add(app, "edit", "/<row_id>/edit", self.edit, page.edit_roles, "GET", "POST")
        if page.actions:
            self._add(app, "action", "/<row_id>/do/<name>", self.action, page.edit_roles, "POST")
        if not url.startswith("/"):
            raise ValueError(f"list {page.name}: the address {url!r} must begin with /")

    def _add(
        self, app: Flask, name: str, path: str, view: Callable[..., Any], roles: tuple[str, ...], *methods: str
    ) -> None:
        def run(**values: str) -> Any:
            return view(**values)

        run.__doc__ = view.__doc__
        app.add_url_rule(
            self.page.url + path, f"list.{self.page.name}.{name}", allow(*roles)(run), methods=list(methods) or ["GET"]
        )

    @property
    def may_edit(self) -> bool:
        """Whether the actor may change rows."""
        actor = current_actor()
        return actor is not None and may_open(actor.roles, self.page.edit_roles)

    def index(self) -> ResponseReturnValue:
        """Show the list."""
        return self._list()

    def show(self, row_id: str) -> ResponseReturnValue:
        """Show one row in the preview: alone when only that pane was asked for."""
        row = self.page.find(row_id)
        if request.headers.get("HX-Target") == "peek":
            state = self._state()
            return render_template("list_peek.html", **self._context(state), row=row, preview=self.page.preview(row))  # type: ignore[misc]
        return self._list(row)

    def _state(self) -> State:
        """The state of the address. A pressed button comes after the hidden field of its name, so the last counts."""
        return State.from_arguments(self.page, {name: values[-1] for name, values in request.args.lists()})

    def _context(self, state: State) -> dict[str, Any]:
        page = self.page
        known = current_app.view_functions
        may = {name for name in ("new", "import", "delete", "edit", "action") if f"list.{page.name}.{name}" in known}
        if not self.may_edit:
            may.clear()
        return {"page": page, "state": state, "may": may, "periods": PERIODS, "sizes": SIZES}

    def _list(self, row: Any = None) -> ResponseReturnValue:
        state = self._state()
        rows = Rows(state)
        preview = self.page.preview(row) if row is not None and self.page.preview else None
        body = render_template("list.html", **self._context(state), rows=rows, row=row, preview=preview)
        response = current_app.make_response(body)
        if request.headers.get("HX-Request") and row is None:
            response.headers["HX-Push-Url"] = self.page.url + state.query_string()
        return response

    def new(self) -> ResponseReturnValue:
        """Add a row."""
        page = self.page
        assert page.create is not None
        return self._form(None, page.create, f"New {page.singular}", page.url)

    def edit(self, row_id: str) -> ResponseReturnValue:
        """Change a row."""
        page = self.page
        row = page.find(row_id)

        def save(data: dict[str, Any]) -> Any:
            assert page.update is not None
            page.update(row, data)
            return row

        return self._form(row, save, f"Edit {page.row_title(row)}", f"{page.url}/{row_id}")

    def _form(self, row: Any, save: Callable[[dict[str, Any]], Any], title: str, back: str) -> ResponseReturnValue:
        page = self.page
        assert page.form is not None
        form = page.form(row)
        region = current_app.extensions["cms_settings"].default_region
        wrong: dict[str, str] = {}
        data = form.data
        if request.method == "POST":
            data = forms.read(form.schema, request.form, zone=zone(), region=region, ui=form.ui)
            wrong = forms.check(form.schema, data, form.ui)
            if not wrong:
                try:
                    saved = save(data)
                except InvalidInput as error:
                    wrong = pointers(error)
                else:
                    toast(f"{page.row_title(saved)} is {'saved' if row is not None else 'added'}.")
                    return redirect(f"{page.url}/{saved.id}" if page.preview else page.url)
        drawn = forms.fields(form.schema, data, form.ui, zone=zone(), region=region, errors=wrong)
        body = render_template(
            "list_form.html", page=page, title=title, back=back, fields=drawn, errors=wrong, known=forms.labels(drawn)
        )
        return body, 422 if wrong else 200

    def delete(self) -> ResponseReturnValue:
        """Delete the ticked rows, all or none."""
        page = self.page
        assert page.delete is not None
        ids = request.form.getlist("id")[:BULK_LIMIT]
        if not ids:
            raise InvalidInput(f"Tick the {page.title.lower()} to delete first.")
        rows = [page.find(row_id) for row_id in ids]
        for row in rows:
            page.delete(row)
        what = page.row_title(rows[0]) if len(rows) == 1 else f"{len(rows)} {page.title.lower()}"
        toast(f"{what} deleted.")
        return redirect(page.url + self._state().query_string())

    def action(self, row_id: str, name: str) -> ResponseReturnValue:
        """Do one of the row's own actions."""
        row = self.page.find(row_id)
        action = next((action for action in self.page.actions if action.name == name), None)
        if action is None:
            raise NotFound("There is no such action.")
        if action.when and not action.when(row):
            raise NotPermitted(f"{action.title} is not possible now.")
        toast(action.run(row), "running" if action.sticky else "completed")
        return redirect(f"{self.page.url}/{row_id}")

    def export(self) -> ResponseReturnValue:
        """Return the rows of the list as it is narrowed now, as CSV."""
        state = self._state()
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\r\n")
        writer.writerow([safe_cell(column.title) for column in self.page.columns])
        for row in Rows(state).for_export():
            writer.writerow([safe_cell(plain(column.value(row))) for column in self.page.columns])
        name = self.page.title.lower().replace(" ", "-")
        # The mark at the front makes spreadsheets read the file as UTF-8.
        return Response(
            "\ufeff" + out.getvalue(),
            mimetype="text/csv",
            headers={"Content-Disposition": f'attachment; filename="{name}.csv"'},
        )


def pointers(error: InvalidInput) -> dict[str, str]:
    """Return the messages of an operation by JSON pointer: plain names mean top-level fields."""
    found = {name if name.startswith("/") else f"/{name}": text for name, text in error.fields.items()}
    return found or {"": error.message}
