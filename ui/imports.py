"""CSV import of list pages: upload, match columns, look at what would happen, then everything or nothing.

The uploaded file waits as a stored file; nothing else is written before the person has seen the preview.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from flask import Response, current_app, redirect, render_template, request
from flask.typing import ResponseReturnValue

from engine.kernel.actor import current_actor, scoped
from engine.kernel.db import db, now
from engine.kernel.errors import InvalidInput, NotFound
from engine.kernel.files import FileStore, StoredFile
from engine.pages import ListPage
from ui.shell import toast
from ui.values import safe_cell

WAITING = "text/csv; purpose=import"
ROW_LIMIT = 20_000
SHOWN = 12


@dataclass(frozen=True, slots=True)
class Left:
    """A row that will be skipped, and why."""

    number: int
    cells: dict[str, str]
    reason: str


@dataclass(slots=True)
class Plan:
    """What an import would do."""

    good: list[dict[str, Any]] = field(default_factory=list)
    left: list[Left] = field(default_factory=list)
    doubles: int = 0

    @property
    def total(self) -> int:
        """Rows in the file."""
        return len(self.good) + len(self.left)


def read_csv(content: bytes) -> tuple[list[str], list[dict[str, str]]]:
    """Return headings and rows of a CSV file in any usual encoding and separator. Raises ``InvalidInput``."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("cp1252", errors="replace")
    if "\0" in text:
        raise InvalidInput("This is not a text file. Save the table as CSV (comma separated) and upload that.")
    first = text.split("\n", 1)[0]
    separator = max(",;\t", key=first.count)
    try:
        lines = [
            line for line in csv.reader(io.StringIO(text), delimiter=separator) if any(cell.strip() for cell in line)
        ]
    except csv.Error as error:
        raise InvalidInput(f"The file cannot be read as CSV: {error}.") from error
    if len(lines) < 2:
        raise InvalidInput("The file needs a line with headings and at least one row below it.")
    if len(lines) - 1 > ROW_LIMIT:
        raise InvalidInput(f"The file has {len(lines) - 1:,} rows; at most {ROW_LIMIT:,} fit in one import. Split it.")
    headings = [heading.strip() or f"Column {at + 1}" for at, heading in enumerate(lines[0])]
    if len(set(headings)) != len(headings):
        twice = next(heading for heading in headings if headings.count(heading) > 1)
        raise InvalidInput(f"The heading “{twice}” is there twice. Give each column a name of its own.")
    rows = [dict(zip(headings, [*map(_unguarded, line), *[""] * len(headings)], strict=False)) for line in lines[1:]]
    return headings, rows


def _unguarded(cell: str) -> str:
    """Undo what an export did against formulas."""
    cell = cell.strip()
    return cell[1:] if cell[:1] == "'" and cell[1:2] in ("=", "+", "-", "@") else cell


class ImportViews:
    """The import pages of one list."""

    def __init__(self, page: ListPage) -> None:
        assert page.importer is not None
        self.page = page
        self.importer = page.importer

    def start(self) -> ResponseReturnValue:
        """Take the file."""
        wrong = ""
        if request.method == "POST":
            upload = request.files.get("file")
            try:
                return redirect(f"{self.page.url}/import/{self._keep(upload)}")
            except InvalidInput as error:
                wrong = error.message
        body = render_template("import_start.html", page=self.page, importer=self.importer, wrong=wrong)
        return body, 422 if wrong else 200

    def example(self) -> ResponseReturnValue:
        """Return an empty file with the headings that are understood."""
        headings = ",".join(title for _, title, _ in self.importer.fields)
        name = f"{self.page.title.lower()}-example.csv"
        return Response(
            f"\ufeff{headings}\r\n",
            mimetype="text/csv",
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )

    def review(self, import_id: str) -> ResponseReturnValue:
        """Show what would happen with this matching; do it when told to; or hand out the rows left over."""
        stored = self._waiting(import_id)
        headings, rows = read_csv(self._store().locate(stored).read_bytes())
        given = request.form if request.method == "POST" else request.args
        matching = self._matching(headings, {key: text for key, text in given.items() if key.startswith("m.")})
        missing = [title for name, title, needed in self.importer.fields if needed and not matching.get(name)]
        plan = Plan() if missing else self._plan(rows, matching)
        if given.get("left") and not missing:
            return self._left_rows(headings, plan)
        if request.method == "POST" and request.form.get("go") and plan.good:
            return self._write(stored, plan)
        return render_template(
            "import_review.html",
            page=self.page,
            importer=self.importer,
            stored=stored,
            headings=headings,
            matching=matching,
            missing=missing,
            plan=plan,
            total=len(rows),
            shown=SHOWN,
        )

    def _store(self) -> FileStore:
        return FileStore(current_app.extensions["cms_settings"])

    def _keep(self, upload: Any) -> str:
        if upload is None or not upload.filename:
            raise InvalidInput("Choose a CSV file first.")
        limit = current_app.extensions["cms_settings"].upload_limit
        content = upload.read(limit + 1)
        if len(content) > limit:
            raise InvalidInput(f"The file is larger than {limit // 1_000_000} MB. Split it.")
        read_csv(content)
        actor = current_actor()
        assert actor is not None
        self._forget_old()
        return self._store().write(actor.tenant_id, upload.filename[-120:], WAITING, content).id

    def _forget_old(self) -> None:
        """Files of imports that nobody finished within a day."""
        old = scoped(StoredFile).where(
            StoredFile.content_type == WAITING, StoredFile.created_at < now() - timedelta(days=1)
        )
        for stored in db.session.scalars(old):
            self._store().delete(stored)

    def _waiting(self, import_id: str) -> StoredFile:
        query = scoped(StoredFile).where(StoredFile.id == import_id, StoredFile.content_type == WAITING)
        stored: StoredFile | None = db.session.scalar(query)
        if stored is None:
            raise NotFound("This import is done or was given up. Upload the file again.")
        return stored

    def _matching(self, headings: list[str], given: dict[str, str]) -> dict[str, str]:
        """Field to heading: as the person chose, else by equal names."""
        known = {heading.casefold().replace("_", " "): heading for heading in headings}
        result = {}
        for name, title, _ in self.importer.fields:
            if f"m.{name}" in given:
                result[name] = given[f"m.{name}"] if given[f"m.{name}"] in headings else ""
                continue
            words = [
                title,
                name.replace("_", " "),
                *(a for a, target in self.importer.aliases.items() if target == name),
            ]
            result[name] = next((known[word.casefold()] for word in words if word.casefold() in known), "")
        return result

    def _plan(self, rows: list[dict[str, str]], matching: dict[str, str]) -> Plan:
        plan, checked = Plan(), list(self._checked(rows, matching))
        known = self.importer.known([self.importer.key(data) for _, _, data in checked if isinstance(data, dict)])
        seen: dict[str, int] = {}
        for number, cells, data in checked:
            if isinstance(data, str):
                plan.left.append(Left(number, cells, data))
                continue
            key = self.importer.key(data)
            if key in known:
                plan.doubles += 1
                plan.left.append(Left(number, cells, f"Is already among the {self.page.title.lower()}."))
            elif key in seen:
                plan.doubles += 1
                plan.left.append(Left(number, cells, f"The same as row {seen[key]}."))
            else:
                seen[key] = number
                plan.good.append(data)
        return plan

    def _checked(
        self, rows: list[dict[str, str]], matching: dict[str, str]
    ) -> Iterator[tuple[int, dict[str, str], dict[str, Any] | str]]:
        """Each row with its data, or the reason why it has none. The first row below the headings is number 2."""
        for number, cells in enumerate(rows, start=2):
            mapped = {name: cells.get(heading, "") for name, heading in matching.items() if heading}
            try:
                yield number, cells, self.importer.check(mapped)
            except InvalidInput as error:
                yield number, cells, " ".join(error.fields.values()) or error.message

    def _write(self, stored: StoredFile, plan: Plan) -> ResponseReturnValue:
        assert self.page.create is not None
        for data in plan.good:
            self.page.create(data)
        self._store().delete(stored)
        skipped = f", {len(plan.left)} of {plan.total} rows skipped" if plan.left else ""
        toast(f"{len(plan.good):,} {self.page.title.lower()} imported{skipped}.")
        return redirect(self.page.url)

    def _left_rows(self, headings: list[str], plan: Plan) -> Response:
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\r\n")
        writer.writerow([*headings, "Why skipped"])
        for left in plan.left:
            cells = [left.cells[heading] for heading in headings]
            writer.writerow([safe_cell(cell) for cell in [*cells, left.reason]])
        return Response(
            "\ufeff" + out.getvalue(),
            mimetype="text/csv",
            headers={"Content-Disposition": 'attachment; filename="skipped-rows.csv"'},
        )
