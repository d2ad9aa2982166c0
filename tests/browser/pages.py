"""The pages that are looked at: each in both themes and widths, by axe and as a picture in ``docs/screenshots``.

To add a page append a ``Page``. ``path`` may contain names in braces that the ``scene`` fixture knows (ids of what
happened on the platform before). ``steps`` bring the page into the wanted state: ``("click", selector)``,
``("fill", selector, text)``, ``("press", key)``, ``("upload", selector, name, content)``, ``("wait", selector)``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Page:
    """One page or state of a page."""

    name: str
    path: str
    #: demo user who looks at it; empty: a stranger
    user: str = "reception"
    steps: tuple[tuple[str, ...], ...] = ()
    #: what must be visible before anything is judged
    ready: str = "main"
    #: HTTP status of the page; others than 200 are meant
    status: int = 200
    #: axe rules that cannot pass, each with its reason
    except_rules: dict[str, str] = field(default_factory=dict)
    #: further steps on narrow windows only
    mobile_steps: tuple[tuple[str, ...], ...] = ()


TABLE = """Full name,Phone,Company,Consent
Ada Lovelace,+442079460901,Analytical Engines,given
Grace Hopper,12,Harbour Systems,
Amara Again,+4930123456,,
Alan Turing,+442079460902,,maybe
Edith Clarke,+442079460903,Clarke Power,partly
"""

#: a shipped diagram with three mistakes
BROKEN = (
    (Path(__file__).parents[2] / "bpmn/portals/company_ivr.bpmn")
    .read_text()
    .replace('type="call.collect"', 'type="call.colect"')
    .replace("bpmn:businessRuleTask", "bpmn:complexGateway")
)

PAGES: list[Page] = [
    Page("login", "/login", user="", ready="#email"),
    Page("home", "/", ready="#health-card h2"),
    Page("navigation", "/", mobile_steps=(("click", "[data-nav-toggle]"),), steps=(("wait", "#health-card h2"),)),
    Page("search", "/", steps=(("press", "Control+k"), ("fill", "#finder input", "ama"), ("wait", ".finder-hit"))),
    Page("bell", "/", steps=(("wait", "#health-card h2"), ("click", "#bell"), ("wait", "#bell-list a, #bell-list p"))),
    Page("inbox", "/inbox", ready="#task-list"),
    Page("task", "/inbox/{task}", ready="#task-form"),
    Page(
        "task_refused",
        "/inbox/{task}",
        steps=(("click", "text=Complete"), ("wait", "#form-errors")),
        status=422,
        ready="#task-form",
    ),
    Page("contacts", "/directory/contacts", ready="#rows tr"),
    Page("contact", "/directory/contacts/{contact}", ready="#peek[data-id]"),
    Page("contacts_none", "/directory/contacts?q=nobody+here", ready=".list-empty"),
    Page("contact_new", "/directory/contacts/new", ready=".form-page"),
    Page(
        "contact_refused",
        "/directory/contacts/new",
        steps=(("fill", "#f-numbers-0-number", "12"), ("click", "text=Save"), ("wait", "#form-errors")),
        status=422,
        ready=".form-page",
    ),
    Page("import", "/directory/contacts/import", ready="#file"),
    Page(
        "import_review",
        "/directory/contacts/import",
        ready="#file",
        steps=(("upload", "#file", "people.csv", TABLE), ("click", "text=Upload and look"), ("wait", "#plan")),
    ),
    Page("users", "/administration/users", user="admin", ready="#rows tr"),
    Page("user", "/administration/users/{user}", user="admin", ready="#peek[data-id]"),
    Page("user_new", "/administration/users/new", user="admin", ready=".form-page"),
    Page("processes", "/administration/processes", ready="#rows tr"),
    Page("process", "/administration/processes/{process}", ready="#process[data-ready=true]"),
    Page("upload", "/administration/processes/upload", user="admin", ready="#upload[data-ready=true]"),
    Page(
        "upload_refused",
        "/administration/processes/upload",
        user="admin",
        ready="#upload[data-ready=true]",
        steps=(("upload", "#files", "broken_menu.bpmn", BROKEN), ("wait", ".lint-line")),
        status=422,
    ),
    Page("instances", "/administration/instances", ready="#rows tr"),
    Page("instance", "/administration/instances/{instance}", ready="#instance[data-ready=true]"),
    Page("instance_data", "/administration/instances/{instance}?tab=data", ready="#p-data .diff"),
    Page("instance_history", "/administration/instances/{instance}?tab=history", ready="#p-history li"),
    Page("instance_calls", "/administration/instances/{instance}?tab=calls", ready="#p-calls .dl"),
    Page("instance_past", "/administration/instances/{instance}?step=3", ready="#instance[data-ready=true]"),
    Page("incidents", "/administration/incidents", ready="main h1"),
    Page("calls", "/support/calls", ready="#rows tr"),
    Page("call", "/support/calls/{call}", ready="#peek[data-id]"),
    Page("memos", "/support/memos", ready="#rows tr"),
    Page("memo", "/support/memos/{memo}", ready="#peek[data-id]"),
    Page("mail", "/administration/mail/{mail}", ready="#peek[data-id]"),
    Page("numbers", "/inventory/numbers", ready="#rows tr"),
    Page("applications", "/services/applications", ready="#rows tr"),
    Page("application", "/services/applications/{application}", ready="#peek[data-id]"),
    Page("application_edit", "/services/applications/{application}/edit", ready=".form-page"),
    Page("extensions", "/services/extensions", ready="#rows tr"),
    Page("extension", "/services/extensions/{extension}", ready="#peek[data-id]"),
    Page("extension_new", "/services/extensions/new", ready=".form-page"),
    Page("reports", "/reports", user="analyst"),
    Page("phone", "/phone", user="anna", ready="#phone[data-state=ready]"),
    Page("me", "/me", user="anna", ready="#my-memos"),
    Page("password", "/account/password", ready="#old"),
    Page("denied", "/administration/users", user="analyst", status=403),
    Page("not_found", "/nowhere", status=404),
]
