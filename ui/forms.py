"""JSON-Schema forms drawn and read by the server.

One schema serves three ends: ``fields`` says what to draw, ``read`` turns what the browser sent into data, and
``check`` tells per field what is wrong and how to mend it. Names of inputs and keys of messages are JSON pointers
(``/numbers/0/number``), so a message always finds its input. A uiSchema (``ui:widget``, ``ui:help``,
``ui:placeholder``, ``ui:order``, ``ui:options``) refines the look and never the meaning.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from werkzeug.datastructures import MultiDict

from engine.kernel.errors import InvalidInput
from engine.kernel.types import E164
from ui.form_messages import messages

Schema = dict[str, Any]

_INPUTS = {
    "date": "date",
    "date-time": "datetime-local",
    "time": "time",
    "email": "email",
    "phone": "tel",
    "dialable": "tel",
    "uri": "url",
    "password": "password",
}


@dataclass(slots=True)
class Option:
    """One answer of a choice."""

    value: str
    title: str
    description: str = ""


@dataclass(slots=True)
class Field:
    """What the template draws for one place of the schema."""

    pointer: str
    label: str
    widget: str
    required: bool = False
    value: Any = None
    help: str = ""
    error: str = ""
    options: list[Option] = field(default_factory=list)
    attributes: dict[str, Any] = field(default_factory=dict)
    #: of an object, or one per row of an array
    children: list[Field] = field(default_factory=list)
    #: of an array: an empty row, with ``__`` where the index belongs
    blank: Field | None = None
    wide: bool = True

    @property
    def id(self) -> str:
        """The input's id in the page."""
        return "f" + self.pointer.replace("/", "-")

    def walk(self) -> Iterator[Field]:
        """Yield the field and all below it."""
        yield self
        for child in self.children:
            yield from child.walk()


@dataclass(frozen=True, slots=True)
class Context:
    """What reading and drawing depend on beside the schema."""

    zone: ZoneInfo
    region: str
    root: Schema
    errors: Mapping[str, str] = field(default_factory=dict)


def fields(
    schema: Schema,
    data: Mapping[str, Any],
    ui: Schema | None = None,
    *,
    zone: ZoneInfo,
    region: str = "DE",
    errors: Mapping[str, str] | None = None,
) -> list[Field]:
    """Return the fields of an object schema, filled with ``data`` and marked with ``errors``."""
    context = Context(zone, region, schema, errors or {})
    return _object(schema, data, ui or {}, "", context).children


def read(
    schema: Schema, sent: MultiDict[str, str], *, zone: ZoneInfo, region: str = "DE", ui: Schema | None = None
) -> dict[str, Any]:
    """Return the data that a form of this schema has sent. What cannot be read stays text, for ``check`` to refuse."""
    value = _read(schema, sent, "", Context(zone, region, schema), ui or {})
    return value if isinstance(value, dict) else {}


def check(schema: Schema, data: Mapping[str, Any], ui: Schema | None = None) -> dict[str, str]:
    """Return what is wrong by JSON pointer, in words that say how to mend it; empty when nothing is."""
    return messages(schema, data, ui or {})


def validated(schema: Schema, data: dict[str, Any]) -> dict[str, Any]:
    """Return ``data``. Raises ``InvalidInput`` with the messages when it does not fit the schema."""
    wrong = check(schema, data)
    if wrong:
        raise InvalidInput(f"{len(wrong)} answers need a change.", wrong)
    return data


def labels(drawn: list[Field]) -> dict[str, Field]:
    """Return the fields by pointer, for the error summary."""
    return {item.pointer: item for top in drawn for item in top.walk()}


def resolve(schema: Schema, root: Schema) -> Schema:
    """Follow local references and take the non-null half of an optional value."""
    for _ in range(20):
        if "$ref" in schema:
            target: Any = root
            for part in str(schema["$ref"]).removeprefix("#/").split("/"):
                target = target[part]
            schema = {**target, **{key: value for key, value in schema.items() if key != "$ref"}}
        elif "anyOf" in schema and any(item.get("type") == "null" for item in schema["anyOf"]):
            rest = [item for item in schema["anyOf"] if item.get("type") != "null"]
            outer = {key: value for key, value in schema.items() if key != "anyOf"}
            schema = {**rest[0], **outer} if len(rest) == 1 else {**outer, "anyOf": rest}
        else:
            break
    return schema


def kind_of(schema: Schema) -> str:
    """Return the JSON type a place holds; what says nothing holds text."""
    kind = schema.get("type")
    if isinstance(kind, list):
        kind = next((item for item in kind if item != "null"), "string")
    if kind is None:
        kind = "object" if "properties" in schema else "array" if "items" in schema else "string"
    return str(kind)


def choices_of(schema: Schema) -> list[Option]:
    """Return the answers of a choice: ``oneOf``/``anyOf`` of constants with titles, or ``enum``."""
    for key in ("oneOf", "anyOf"):
        if key in schema and all("const" in item for item in schema[key]):
            return [
                Option(_text(item["const"]), str(item.get("title", item["const"])), str(item.get("description", "")))
                for item in schema[key]
            ]
    return [Option(_text(item), str(item)) for item in schema.get("enum", []) if item is not None]


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def _title(name: str, schema: Schema) -> str:
    return str(schema.get("title") or name.replace("_", " ").capitalize())


def _object(schema: Schema, data: Any, ui: Schema, pointer: str, context: Context) -> Field:
    drawn = Field(
        pointer, _title(pointer.rpartition("/")[2], schema), "object", help=str(schema.get("description", ""))
    )
    data = data if isinstance(data, Mapping) else {}
    names = list(schema.get("properties", {}))
    order = [name for name in ui.get("ui:order", []) if name in names]
    for name in [*order, *(name for name in names if name not in order)]:
        child = resolve(schema["properties"][name], context.root)
        value = data.get(name, child.get("default"))
        item = _field(name, child, value, ui.get(name, {}), f"{pointer}/{name}", context)
        item.required = name in schema.get("required", [])
        drawn.children.append(item)
    drawn.error = context.errors.get(pointer, "")
    return drawn


def _field(name: str, schema: Schema, value: Any, ui: Schema, pointer: str, context: Context) -> Field:
    kind = kind_of(schema)
    if kind == "object":
        drawn = _object(schema, value, ui, pointer, context)
    elif kind == "array":
        drawn = _array(name, schema, value, ui, pointer, context)
    else:
        drawn = _simple(name, schema, value, ui, pointer, context)
    drawn.label = str(ui.get("ui:title") or _title(name, schema))
    drawn.help = str(ui.get("ui:help") or schema.get("description", ""))
    drawn.error = context.errors.get(pointer, "")
    if ui.get("ui:widget") == "hidden":
        drawn.widget = "hidden"
    return drawn


def _array(name: str, schema: Schema, value: Any, ui: Schema, pointer: str, context: Context) -> Field:
    items = resolve(schema.get("items", {}), context.root)
    rows = value if isinstance(value, list) else []
    if (options := choices_of(items)) and schema.get("uniqueItems", False):
        return Field(pointer, name, "checkboxes", value=[_text(row) for row in rows], options=options)
    singular = str(ui.get("ui:options", {}).get("addLabel") or items.get("title") or "row")
    drawn = Field(pointer, name, "array", attributes={"add": singular, "maximum": schema.get("maxItems", 50)})
    shown = rows or ([None] * max(1, schema.get("minItems", 0)))
    quiet = Context(context.zone, context.region, context.root)
    for index, row in enumerate(shown):
        drawn.children.append(_field(singular, items, row, ui.get("items", {}), f"{pointer}/{index}", context))
    drawn.blank = _field(singular, items, None, ui.get("items", {}), f"{pointer}/__", quiet)
    return drawn


def _simple(name: str, schema: Schema, value: Any, ui: Schema, pointer: str, context: Context) -> Field:
    drawn = Field(pointer, name, _widget(schema, ui), value=value)
    drawn.options = choices_of(schema)
    attributes = drawn.attributes
    if drawn.widget == "input":
        attributes["type"] = _INPUTS.get(schema.get("format", ""), "text")
        if ui.get("ui:widget") in {"password", "tel", "email", "color"}:
            attributes["type"] = ui["ui:widget"]
        if kind_of(schema) in {"number", "integer"}:
            attributes["inputmode"] = "numeric" if kind_of(schema) == "integer" else "decimal"
        drawn.wide = (
            attributes["type"] not in {"date", "datetime-local", "time", "tel"} and "inputmode" not in attributes
        )
        if attributes["type"] == "datetime-local" and isinstance(value, str):
            drawn.value = _to_local(value, context.zone)
        if attributes["type"] == "tel" and isinstance(value, str):
            drawn.value = _display(value)
    for source, target in (("ui:placeholder", "placeholder"), ("ui:autocomplete", "autocomplete")):
        if source in ui:
            attributes[target] = ui[source]
    if isinstance(schema.get("maxLength"), int):
        attributes["data-max"] = schema["maxLength"]
    if drawn.widget != "checkbox":
        drawn.value = _text(drawn.value)
    return drawn


def _widget(schema: Schema, ui: Schema) -> str:
    asked = ui.get("ui:widget")
    if kind_of(schema) == "boolean":
        return "checkbox"
    if options := choices_of(schema):
        if asked in {"radio", "select"}:
            return str(asked)
        return "radio" if len(options) <= 3 else "select"
    if asked == "textarea" or schema.get("maxLength", 0) > 300:
        return "textarea"
    return "input"


def _display(value: str) -> str:
    try:
        return E164(value).display() if value.startswith("+") else value
    except InvalidInput:
        return value


def _to_local(value: str, zone: ZoneInfo) -> str:
    try:
        instant = datetime.fromisoformat(value)
    except ValueError:
        return value
    return instant.astimezone(zone).strftime("%Y-%m-%dT%H:%M") if instant.tzinfo else value[:16]


def _read(schema: Schema, sent: MultiDict[str, str], pointer: str, context: Context, ui: Schema) -> Any:
    schema = resolve(schema, context.root)
    kind = kind_of(schema)
    if kind == "object":
        found = {
            name: _read(child, sent, f"{pointer}/{name}", context, ui.get(name, {}))
            for name, child in schema.get("properties", {}).items()
        }
        kept = {name: value for name, value in found.items() if value is not None}
        # An optional group in which nothing was filled in is absent; then its required fields ask for nothing.
        return kept if pointer == "" or any(value != [] for value in kept.values()) else None
    if kind == "array":
        return _read_array(schema, sent, pointer, context, ui)
    texts = sent.getlist(pointer)
    if not texts:
        return None
    return _read_simple(schema, kind, texts[-1], context)


def _read_array(
    schema: Schema, sent: MultiDict[str, str], pointer: str, context: Context, ui: Schema
) -> list[Any] | None:
    items = resolve(schema.get("items", {}), context.root)
    if choices_of(items) and schema.get("uniqueItems", False):
        return [text for text in sent.getlist(pointer) if text]
    prefix = pointer + "/"
    heads = {name[len(prefix) :].split("/")[0] for name in sent if name.startswith(prefix)}
    indices = sorted((head for head in heads if head.isdigit()), key=int)
    rows = [_read(items, sent, f"{prefix}{index}", context, ui.get("items", {})) for index in indices]
    return [row for row in rows if row not in (None, "", {})]


def _read_simple(schema: Schema, kind: str, text: str, context: Context) -> Any:
    if kind == "boolean":
        return text == "true"
    stripped = text.strip()
    if not stripped:
        return None
    if kind in {"number", "integer"}:
        return _number(stripped, kind)
    form = schema.get("format")
    if form == "date-time":
        try:
            instant = datetime.fromisoformat(stripped)
        except ValueError:
            return stripped
        return (instant if instant.tzinfo else instant.replace(tzinfo=context.zone)).astimezone(UTC).isoformat()
    if form == "phone" or (form == "dialable" and (stripped.startswith("+") or len(stripped) > 6)):
        try:
            return str(E164.parse(stripped, context.region))
        except InvalidInput:
            return stripped
    return stripped if form or choices_of(schema) else text.replace("\r\n", "\n").strip()


def _number(text: str, kind: str) -> Any:
    try:
        return int(text) if kind == "integer" or text.lstrip("-").isdigit() else float(text.replace(",", "."))
    except ValueError:
        return text
