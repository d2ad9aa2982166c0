"""The pages of the PBX portal: extensions with their SIP accounts, and applications with their numbers."""

from __future__ import annotations

from typing import Any

from sqlalchemy import or_, select

from engine.api import Definition
from engine.kernel.actor import Actor, current_actor, scoped
from engine.kernel.db import db, settings_in_force
from engine.kernel.errors import InvalidInput, TransientError
from engine.kernel.types import Secret
from engine.pages import (
    STAFF,
    Action,
    Column,
    Empty,
    Form,
    Line,
    Link,
    ListPage,
    Preview,
    Section,
    Status,
    add_list,
)
from media.edge.accounts import SipAccount, new_password, registered
from modules.identity import User
from modules.inventory import PhoneNumber
from modules.portals.pbx.applications import (
    bind_numbers,
    create_application,
    definition_of,
    delete_application,
    numbers_of,
    set_parameters,
    templates,
)
from modules.portals.pbx.extensions import (
    account_of,
    change_extension,
    create_extension,
    delete_extension,
    disable_extension,
    enable_extension,
    renew_password,
)
from modules.portals.pbx.models import Application, Extension

EDITORS = ("administrator", "customer_admin")


def _actor() -> Actor:
    actor = current_actor()
    assert actor is not None  # pages are only shown to people
    return actor


# ---- extensions ----------------------------------------------------------------------------------------------------


def _user_name(extension: Extension) -> str:
    user = db.session.get(User, extension.user_id) if extension.user_id else None
    return user.name if user else ""


def _enabled(extension: Extension) -> bool:
    return account_of(extension).enabled


def _extension_status(extension: Extension) -> Status:
    return Status("completed", "Enabled") if _enabled(extension) else Status("cancelled", "Disabled")


def _devices(account: SipAccount) -> Section:
    try:
        contacts = registered(settings_in_force(), account.address)
    except TransientError:
        return Section("Phones", text="The edge does not answer just now, so it is not known which phones are here.")
    lines = [Line(item["user_agent"] or "Unknown phone", item["contact"], "device-landline-phone") for item in contacts]
    if not lines:
        return Section("Phones", text="No phone is registered. Enter the account's data into one.", count=0)
    return Section("Phones", lines=lines, count=len(lines))


def _extension_preview(extension: Extension) -> Preview:
    account = account_of(extension)
    settings = settings_in_force()
    facts = [
        ("Server", f"{settings.public_host}:{settings.sip_port}"),
        ("User name", account.username),
        ("Password", "Shown once, when it is made"),
        ("Transport", "UDP or TCP"),
        ("Shows as caller", account.number),
    ]
    return Preview(
        extension.name,
        [
            Section("Details", facts=[("Extension", extension.number), ("User", _user_name(extension) or None)]),
            Section("SIP account", facts=facts),
            _devices(account),
        ],
        subtitle=f"Extension {extension.number}",
        status=_extension_status(extension),
    )


def _extension_form(extension: Extension | None) -> Form:
    users = db.session.scalars(scoped(User).where(User.active.is_(True)).order_by(User.name))
    people = [{"const": "", "title": "Nobody"}] + [{"const": user.id, "title": user.name} for user in users]
    properties: dict[str, Any] = {
        "number": {
            "type": "string",
            "title": "Extension",
            "pattern": "^[1-9][0-9]{1,5}$",
            "description": "Such as 203.",
        },
        "name": {"type": "string", "title": "Name", "maxLength": 64, "description": "Shown on the called phone."},
        "user_id": {"type": "string", "title": "User", "oneOf": people},
    }
    schema = {"type": "object", "required": ["number", "name"], "additionalProperties": False, "properties": properties}
    ui = {"user_id": {"ui:widget": "select"}, "password": {"ui:autocomplete": "off"}}
    if extension is not None:
        data = {"number": extension.number, "name": extension.name, "user_id": extension.user_id or ""}
        return Form(schema, data, ui)
    properties["password"] = {
        "type": "string",
        "title": "SIP password",
        "minLength": 12,
        "maxLength": 64,
        "description": "Enter it into the phone now: it is not shown again.",
    }
    schema["required"] = ["number", "name", "password"]
    return Form(schema, {"password": new_password().reveal(), "user_id": ""}, ui)


def _visible_user(user_id: str) -> str | None:
    if user_id and db.session.scalar(scoped(User, User.id).where(User.id == user_id)) is None:
        raise InvalidInput("That user is not one of yours.", {"/user_id": "Choose one of the list."})
    return user_id or None


def _add_extension(data: dict[str, Any]) -> Extension:
    return create_extension(
        tenant_id=_actor().tenant_id,
        number=data["number"],
        name=data["name"],
        password=Secret(data["password"]),
        user_id=_visible_user(data.get("user_id", "")),
    )


def _change_extension(extension: Extension, data: dict[str, Any]) -> None:
    user_id = _visible_user(data.get("user_id", ""))
    change_extension(extension, number=data["number"], name=data["name"], user_id=user_id)


def _new_password(extension: Extension) -> str:
    password = renew_password(extension).reveal()
    return f"The new SIP password of {extension.number} is {password}. It is shown only now."


def _disable(extension: Extension) -> str:
    disable_extension(extension)
    return f"Extension {extension.number} can no longer register or call."


def _enable(extension: Extension) -> str:
    enable_extension(extension)
    return f"Extension {extension.number} can register and call again."


extensions = add_list(
    ListPage(
        name="pbx.extensions",
        url="/services/extensions",
        section="Services",
        title="Extensions",
        singular="extension",
        model=Extension,
        roles=STAFF,
        edit_roles=EDITORS,
        order=20,
        columns=(
            Column("number", "Extension", Extension.number, kind="number", width=110),
            Column("name", "Name", Extension.name, kind="person"),
            Column("user", "User", show=_user_name, under=True),
            Column("status", "Status", kind="status", show=_extension_status, keep=True, width=120),
        ),
        search=lambda text: or_(
            Extension.number.startswith(text, autoescape=True), Extension.name.icontains(text, autoescape=True)
        ),
        sort="number",
        preview=_extension_preview,
        form=_extension_form,
        create=_add_extension,
        update=_change_extension,
        delete=delete_extension,
        actions=(
            Action(
                "password",
                "New password",
                _new_password,
                "key",
                confirm="Make a new SIP password? Phones with the old one are signed out at once.",
                sticky=True,
            ),
            Action(
                "disable",
                "Disable",
                _disable,
                "phone-off",
                when=_enabled,
                danger=True,
                confirm="Disable this extension? Its phones are signed out at once.",
            ),
            Action("enable", "Enable", _enable, "phone-check", when=lambda extension: not _enabled(extension)),
        ),
        row_title=lambda extension: f"{extension.number} {extension.name}",
        empty=Empty("No extensions yet", "Give each phone a short number. Its SIP account is made with it.", "phone"),
    )
)


# ---- applications --------------------------------------------------------------------------------------------------


def _template(application: Application) -> Definition:
    return definition_of(application)


def _numbers(application: Application) -> list[str]:
    return [row.number for row in numbers_of(application)]


def _application_preview(application: Application) -> Preview:
    definition = _template(application)
    properties = definition.parameters.get("properties", {})
    facts = [
        ("Made of", definition.name),
        (
            "Version",
            f"{definition.version}, stays" if application.definition_id else f"{definition.version}, the newest",
        ),
        ("Changed", application.changed_at),
    ]
    filled = [
        (properties[name].get("title", name), _shown(properties[name], value))
        for name, value in application.parameters.items()
        if name in properties
    ]
    roles = ("administrator",)
    links = [Link("Diagram", f"/administration/processes/{definition.id}", "sitemap", roles)]
    numbers = _numbers(application)
    return Preview(
        application.name,
        [
            Section("Details", facts=facts),
            Section("Numbers", labels=numbers, count=len(numbers), text="" if numbers else "No number is bound to it."),
            Section("Settings", facts=filled),
        ],
        subtitle=definition.name,
        links=links,
    )


def _shown(schema: dict[str, Any], value: Any) -> Any:
    """Return a parameter as people read it."""
    for option in schema.get("oneOf", ()):
        if option.get("const") == value:
            return option.get("title", value)
    if isinstance(value, dict):
        properties = schema.get("properties", {})
        return "; ".join(
            f"{properties.get(name, {}).get('title', name)} {_shown(properties.get(name, {}), item)}"
            for name, item in value.items()
            if item not in ([], "")
        )
    if isinstance(value, list):
        return ", ".join(str(item) for item in value)
    return value if value != "" else None


def _application_form(application: Application | None) -> Form:
    name = {"type": "string", "title": "Name", "minLength": 1, "maxLength": 80}
    if application is None:
        offered = [{"const": item.process_id, "title": item.name} for item in templates(_actor().tenant_id)]
        chosen: dict[str, Any] = {"type": "string", "title": "What it does", "oneOf": offered}
        if not offered:
            chosen = {"type": "string", "title": "What it does", "description": "Nothing is published yet."}
        properties: dict[str, Any] = {"name": name, "process_id": chosen}
        required = ["name", "process_id"]
        return Form(
            {"type": "object", "required": required, "additionalProperties": False, "properties": properties},
            {"process_id": offered[0]["const"]} if len(offered) == 1 else {},
        )
    mine = select(PhoneNumber).where(PhoneNumber.tenant_id == application.tenant_id).order_by(PhoneNumber.number)
    rows = [row for row in db.session.scalars(mine) if row.application_id in (None, application.id)]
    choices = [{"const": row.number, "title": f"{row.number} {row.label}".strip()} for row in rows]
    properties = {"name": name}
    if choices:
        properties["numbers"] = {
            "type": "array",
            "title": "Numbers",
            "description": "Who calls one of these gets this application, from the next call on.",
            "uniqueItems": True,
            "items": {"oneOf": choices},
        }
    definition = _template(application)
    properties["parameters"] = {**definition.parameters, "title": "Settings"}
    data = {"name": application.name, "numbers": _numbers(application), "parameters": application.parameters}
    schema = {"type": "object", "required": ["name"], "additionalProperties": False, "properties": properties}
    long_texts = {
        key: {"ui:widget": "textarea"}
        for key, item in definition.parameters.get("properties", {}).items()
        if item.get("type") == "string" and item.get("maxLength", 0) > 120
    }
    return Form(schema, data, {"parameters": long_texts})


def _add_application(data: dict[str, Any]) -> Application:
    return create_application(tenant_id=_actor().tenant_id, name=data["name"], process_id=data["process_id"])


def _change_application(application: Application, data: dict[str, Any]) -> None:
    application.name = data["name"]
    try:
        set_parameters(application, _template(application), data.get("parameters", {}))
    except InvalidInput as error:
        fields = {f"/parameters{pointer}": text for pointer, text in error.fields.items()}
        raise InvalidInput(error.message, fields) from error
    bind_numbers(application, data.get("numbers", []))


applications = add_list(
    ListPage(
        name="pbx.applications",
        url="/services/applications",
        section="Services",
        title="Applications",
        singular="application",
        model=Application,
        roles=STAFF,
        edit_roles=EDITORS,
        order=10,
        columns=(
            Column("name", "Name", Application.name),
            Column("template", "What it does", show=lambda row: _template(row).name, under=True),
            Column("numbers", "Numbers", kind="labels", show=_numbers, keep=True, width=180),
            Column("changed_at", "Changed", Application.changed_at, kind="when", width=130),
        ),
        search=lambda text: Application.name.icontains(text, autoescape=True),
        sort="name",
        preview=_application_preview,
        form=_application_form,
        create=_add_application,
        update=_change_application,
        delete=delete_application,
        empty=Empty(
            "Nothing answers your numbers yet",
            "An application is a ready-made call flow: choose one, fill in its texts and hours, and bind a number.",
            "apps",
        ),
    )
)
