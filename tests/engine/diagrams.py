"""Writing small diagrams in tests."""

from __future__ import annotations

from itertools import pairwise

_HEAD = (
    '<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" '
    'xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" xmlns:cms="urn:cms:bpmn" targetNamespace="urn:test">'
)


def diagram(body: str, process: str = "p", *, definitions: str = "") -> bytes:
    """Return a diagram with one process."""
    return (
        f'{_HEAD}{definitions}<bpmn:process id="{process}" name="{process}" isExecutable="true">{body}</bpmn:process>'
        "</bpmn:definitions>"
    ).encode()


def flows(*pairs: str) -> str:
    """Return sequence flows: ``a>b`` or ``a>b:condition``; ``a>b>c`` is two."""
    found = []
    for pair in pairs:
        path, _, condition = pair.partition(":")
        steps = path.split(">")
        for source, target in pairwise(steps):
            inner = _condition(condition) if condition else ""
            found.append(
                f'<bpmn:sequenceFlow id="{source}_{target}" sourceRef="{source}" targetRef="{target}">{inner}'
                "</bpmn:sequenceFlow>"
            )
    return "".join(found)


def _condition(text: str) -> str:
    return f"<bpmn:conditionExpression>{_escape(text)}</bpmn:conditionExpression>"


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def element(tag: str, element_id: str, inner: str = "", **attributes: str) -> str:
    """Return an element."""
    extra = "".join(f' {name}="{value}"' for name, value in attributes.items())
    return f'<bpmn:{tag} id="{element_id}" name="{element_id}"{extra}>{inner}</bpmn:{tag}>'


def start(element_id: str = "start", inner: str = "", **attributes: str) -> str:
    """Return a start event."""
    return element("startEvent", element_id, inner, **attributes)


def end(element_id: str = "end", inner: str = "") -> str:
    """Return an end event."""
    return element("endEvent", element_id, inner)


def user(element_id: str, extensions: str = "") -> str:
    """Return a user task."""
    return element("userTask", element_id, extended(extensions))


def script(element_id: str, text: str) -> str:
    """Return a script task of statements."""
    return element("scriptTask", element_id, f"<bpmn:script>{_escape(text)}</bpmn:script>")


def service(element_id: str, operation: str, *, result: str = "", **parameters: str) -> str:
    """Return a service task; parameters are mapping sources, ``result`` the variable for what it returns."""
    inputs = "".join(f'<zeebe:input source="{source}" target="{name}"/>' for name, source in parameters.items())
    output = f'<zeebe:output source="=result" target="{result}"/>' if result else ""
    return element(
        "serviceTask",
        element_id,
        extended(f'<zeebe:taskDefinition type="{operation}"/><zeebe:ioMapping>{inputs}{output}</zeebe:ioMapping>'),
    )


def extended(extensions: str) -> str:
    """Return extension elements."""
    return f"<bpmn:extensionElements>{extensions}</bpmn:extensionElements>" if extensions else ""


def timer(duration: str, kind: str = "timeDuration") -> str:
    """Return a timer definition."""
    return f"<bpmn:timerEventDefinition><bpmn:{kind}>{duration}</bpmn:{kind}></bpmn:timerEventDefinition>"


def message(reference: str) -> str:
    """Return a message definition."""
    return f'<bpmn:messageEventDefinition messageRef="{reference}"/>'


def boundary(element_id: str, host: str, inner: str, *, interrupting: bool = True) -> str:
    """Return a boundary event."""
    return element(
        "boundaryEvent", element_id, inner, attachedToRef=host, cancelActivity="true" if interrupting else "false"
    )
