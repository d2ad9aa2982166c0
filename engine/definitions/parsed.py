"""The parsed form of a definition, kept in memory: every advance of every instance asks for it."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine.definitions.documents import bpmn, parse_xml
from engine.definitions.elements import Element, index_elements
from engine.definitions.lint import examine
from engine.definitions.normalise import normalise
from engine.definitions.store import definition_by_id, diagram_xml, resources
from engine.dmn import Decision
from engine.semantics import parse

#: parsed definitions kept; the least recently used leave
KEPT = 500


@dataclass(frozen=True, slots=True)
class Version:
    """What of a ``Definition`` never changes, without its session."""

    id: str
    tenant_id: str
    process_id: str
    name: str
    version: int
    parameters: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Parsed:
    """An executable definition with the forms and decisions it uses."""

    definition: Version
    #: what ``engine.semantics.parse`` made of the process; shared by all its instances, never changed
    bundle: Any
    forms: Mapping[str, dict[str, Any]]
    decisions: Mapping[str, Decision]
    elements: Mapping[str, Element]


_cache: OrderedDict[str, Parsed] = OrderedDict()
_lock = threading.Lock()


def spec(definition_id: str) -> Parsed:
    """Return the parsed definition; from memory, except the first time. Raises ``NotFound``."""
    with _lock:
        parsed = _cache.get(definition_id)
        if parsed is not None:
            _cache.move_to_end(definition_id)
            return parsed
    parsed = _read(definition_id)
    with _lock:
        _cache[definition_id] = parsed
        while len(_cache) > KEPT:
            _cache.popitem(last=False)
    return parsed


def _read(definition_id: str) -> Parsed:
    definition = definition_by_id(definition_id)
    root = parse_xml(diagram_xml(definition_id).encode())
    normalise(root)
    beside = {
        item.name: item.content.encode() for item in resources(definition.deployment_id) if item.kind in ("form", "dmn")
    }
    held = examine(beside)
    process = next(item for item in root.iterchildren(bpmn("process")) if item.get("id") == definition.process_id)
    return Parsed(
        definition=Version(
            id=definition.id,
            tenant_id=definition.tenant_id,
            process_id=definition.process_id,
            name=definition.name,
            version=definition.version,
            parameters=definition.parameters,
        ),
        bundle=parse(root, definition.process_id),
        forms=held.forms,
        decisions=held.decisions,
        elements=index_elements(process),
    )
