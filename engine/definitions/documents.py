"""Reading uploaded files without trusting them: XML without entities, network or bombs, and JSON forms."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any
from xml.parsers import expat

from lxml import etree

from engine.definitions.problems import Problem
from engine.kernel.errors import InvalidInput
from engine.schemas import check_characters

BPMN = "http://www.omg.org/spec/BPMN/20100524/MODEL"
ZEEBE = "http://camunda.org/schema/zeebe/1.0"
CMS = "urn:cms:bpmn"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
DMN = (
    "http://www.omg.org/spec/DMN/20151101/dmn.xsd",
    "http://www.omg.org/spec/DMN/20180521/MODEL/",
    "https://www.omg.org/spec/DMN/20191111/MODEL/",
    "https://www.omg.org/spec/DMN/20211108/MODEL/",
    "https://www.omg.org/spec/DMN/20230324/MODEL/",
    "https://www.omg.org/spec/DMN/20240513/MODEL/",
)

MEGABYTE = 1024 * 1024
LARGEST_FILE = 2 * MEGABYTE
LARGEST_UPLOAD = 8 * MEGABYTE
MOST_FILES = 100
DEEPEST = 100
MOST_ELEMENTS = 10_000


@dataclass(slots=True)
class Document:
    """One file that could be read. ``kind`` is ``bpmn``, ``dmn`` or ``form``."""

    file: str
    kind: str
    content: bytes
    #: the root element of a diagram or decision
    root: Any = None
    #: the content of a form
    form: dict[str, Any] | None = None


class Unreadable(Exception):
    """A file is refused before it is looked into."""

    def __init__(self, rule: str, message: str, remedy: str, line: int | None = None) -> None:
        super().__init__(message)
        self.rule = rule
        self.message = message
        self.remedy = remedy
        self.line = line

    def problem(self, file: str) -> Problem:
        """Return it as a finding about ``file``."""
        return Problem(file, None, None, self.line, self.rule, "error", self.message, self.remedy)


def _survey(content: bytes) -> None:
    """Walk through the XML with expat, which builds nothing, and stop at the first thing that is refused."""
    parser = expat.ParserCreate(namespace_separator=" ")
    depth = elements = 0

    def doctype(*_: Any) -> None:
        raise Unreadable(
            "xml.entities",
            "The file declares a document type (DTD) or entities.",
            "Save it without <!DOCTYPE …>; diagrams need none.",
            parser.CurrentLineNumber,
        )

    def start(name: str, attributes: Any) -> None:
        nonlocal depth, elements
        depth += 1
        elements += 1
        if depth > DEEPEST:
            raise Unreadable(
                "xml.depth",
                f"Elements are nested deeper than {DEEPEST} levels.",
                "Split the process with call activities.",
                parser.CurrentLineNumber,
            )
        if elements > MOST_ELEMENTS:
            raise Unreadable(
                "xml.size",
                f"The file has more than {MOST_ELEMENTS} elements.",
                "Split the process with call activities.",
                parser.CurrentLineNumber,
            )

    def end(name: str) -> None:
        nonlocal depth
        depth -= 1

    parser.StartDoctypeDeclHandler = doctype
    parser.EntityDeclHandler = doctype
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    try:
        parser.Parse(content, True)
    except (expat.ExpatError, LookupError, ValueError) as error:
        raise Unreadable(
            "xml.malformed",
            f"The file is not well-formed XML: {error}.",
            "Open it in the modeler and save it again.",
            getattr(error, "lineno", None),
        ) from error


def parse_xml(content: bytes) -> Any:
    """Return the root element. Raises ``Unreadable``."""
    _survey(content)
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        return etree.fromstring(content, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise Unreadable(
            "xml.malformed", f"The file is not well-formed XML: {error}.", "Open it in the modeler and save it again."
        ) from error


def read_document(file: str, content: bytes) -> Document:
    """Read one file. Raises ``Unreadable``."""
    if len(content) > LARGEST_FILE:
        raise Unreadable(
            "file.size",
            f"The file has {len(content) / MEGABYTE:.1f} MB; the limit is {LARGEST_FILE // MEGABYTE} MB.",
            "Split the process with call activities.",
        )
    if PurePosixPath(file).suffix.lower() in (".json", ".form"):
        return Document(file, "form", content, form=_form(content))
    root = parse_xml(content)
    name = etree.QName(root)
    if name.localname == "definitions" and name.namespace == BPMN:
        return Document(file, "bpmn", content, root=root)
    if name.localname == "definitions" and name.namespace in DMN:
        return Document(file, "dmn", content, root=root)
    raise Unreadable(
        "file.kind",
        f"The file is neither BPMN nor DMN: its root is {name.localname!r} of {name.namespace or 'no namespace'!r}.",
        "Upload BPMN 2.0 diagrams (.bpmn), DMN decisions (.dmn) or forms (.json).",
    )


def _form(content: bytes) -> dict[str, Any]:
    remedy = 'A form is {"id": …, "title": …, "schema": {JSON Schema}, "uiSchema": {…}}.'
    try:
        form = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise Unreadable("form.malformed", f"The form is not JSON: {error}.", remedy) from error
    try:
        check_characters(form)
    except InvalidInput as error:
        raise Unreadable("form.malformed", error.message, remedy) from error
    if not isinstance(form, dict) or not isinstance(form.get("id"), str) or not isinstance(form.get("schema"), dict):
        raise Unreadable("form.malformed", "The form has no id or no schema.", remedy)
    return form


def check_upload(files: dict[str, bytes]) -> None:
    """Refuse uploads that are too many or too large together. Raises ``Unreadable``."""
    if len(files) > MOST_FILES:
        raise Unreadable("file.count", f"{len(files)} files; the limit is {MOST_FILES}.", "Upload them in parts.")
    size = sum(map(len, files.values()))
    if size > LARGEST_UPLOAD:
        raise Unreadable(
            "file.size",
            f"The upload has {size / MEGABYTE:.1f} MB; the limit is {LARGEST_UPLOAD // MEGABYTE} MB.",
            "Upload the files in parts.",
        )


def local(element: Any) -> str:
    """Return the local name of an element."""
    return str(etree.QName(element).localname)


def bpmn(name: str) -> str:
    """Return the qualified tag of a BPMN element."""
    return f"{{{BPMN}}}{name}"


def zeebe(name: str) -> str:
    """Return the qualified tag of a Zeebe extension element."""
    return f"{{{ZEEBE}}}{name}"


def extension(element: Any, tag: str) -> Any:
    """Return the extension element of the tag, or None."""
    holder = element.find(bpmn("extensionElements"))
    return None if holder is None else holder.find(tag)


def extension_list(element: Any, holder_tag: str, tag: str) -> list[Any]:
    """Return the children of an extension element, such as the inputs of an ``ioMapping``."""
    holder = extension(element, holder_tag)
    return [] if holder is None else list(holder.iterchildren(tag))
