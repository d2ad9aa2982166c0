"""Reading elements of a normalised diagram."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

BPMN = "{http://www.omg.org/spec/BPMN/20100524/MODEL}"
ZEEBE = "{http://camunda.org/schema/zeebe/1.0}"
CMS = "{urn:cms:bpmn}"
#: marks elements that the normaliser has added
GENERATED = CMS + "generated"


def child(element: Any, name: str) -> Any:
    """Return the first BPMN child of that name, or None."""
    return element.find(BPMN + name)


def text_of(element: Any, name: str) -> str | None:
    """Return the text of a BPMN child, or None when it is missing or empty."""
    found = child(element, name)
    text = (found.text or "").strip() if found is not None else ""
    return text or None


def extension(element: Any, name: str, namespace: str = ZEEBE) -> Any:
    """Return the first extension element of that name, or None."""
    extensions = element.find(BPMN + "extensionElements")
    return extensions.find(namespace + name) if extensions is not None else None


def extension_attribute(element: Any, name: str, attribute: str, namespace: str = ZEEBE) -> str | None:
    """Return an attribute of an extension element; None when either is missing or the value is empty."""
    found = extension(element, name, namespace)
    value: str | None = found.get(attribute) if found is not None else None
    return value or None


def mappings(element: Any, direction: str) -> Iterator[tuple[str, str]]:
    """Yield (source, target) of an element's ``input`` or ``output`` mappings."""
    io_mapping = extension(element, "ioMapping")
    if io_mapping is not None:
        for item in io_mapping.iterchildren(ZEEBE + direction):
            yield item.get("source") or "", item.get("target") or ""


def header(element: Any, key: str) -> str | None:
    """Return a zeebe task header."""
    headers = extension(element, "taskHeaders")
    if headers is not None:
        for item in headers.iterchildren(ZEEBE + "header"):
            if item.get("key") == key:
                value: str | None = item.get("value")
                return value
    return None


def event_definition(element: Any) -> Any:
    """Return the event definition of an event, or None."""
    for item in element.iterchildren():
        if isinstance(item.tag, str) and item.tag.endswith("EventDefinition"):
            return item
    return None
