"""The operations registry: the verbs that diagrams have.

A service task names an operation; the engine validates the parameters against its signature, runs it by its
kind, and binds what it returns to ``result`` for the task's output mapping.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, TypeVar, get_type_hints

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError, create_model

from engine.kernel.errors import BusinessError, CmsError, InvalidInput, NotFound

Kind = Literal["transactional", "external", "media"]
F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class OperationContext:
    """Which token an operation runs for. ``key`` is the same at every try of the same attempt."""

    instance_id: str
    token_id: str
    element_id: str
    attempt: int
    tenant_id: str
    actor_id: str

    @property
    def key(self) -> str:
        """Idempotency key: token and attempt."""
        return f"{self.token_id}:{self.attempt}"


@dataclass(frozen=True, slots=True)
class Pending:
    """Returned by an operation that is answered later. ``payload`` goes to the kind's carrier by the outbox."""

    payload: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Operation:
    """One registered operation."""

    name: str
    function: Callable[..., Any]
    kind: Kind
    raises: tuple[type[BusinessError], ...]
    idempotent: bool
    cancel: Callable[[OperationContext, dict[str, Any]], Pending | None] | None

    @property
    def title(self) -> str:
        """First line of the docstring, for the designer."""
        return (inspect.getdoc(self.function) or "").splitlines()[0]

    @cached_property
    def parameters(self) -> type[BaseModel]:
        """The pydantic model of the keyword parameters."""
        hints = get_type_hints(self.function, include_extras=True)
        fields: dict[str, Any] = {
            name: (hints[name], ... if item.default is inspect.Parameter.empty else item.default)
            for name, item in inspect.signature(self.function).parameters.items()
        }
        config = ConfigDict(extra="forbid", arbitrary_types_allowed=True)
        return create_model(self.name.replace(".", "_"), __config__=config, **fields)

    @cached_property
    def result(self) -> TypeAdapter[Any]:
        """The adapter of the declared return type."""
        return TypeAdapter(get_type_hints(self.function, include_extras=True).get("return", Any))

    def schema(self) -> dict[str, Any]:
        """Return the JSON schema of the parameters, as the designer shows it."""
        return self.parameters.model_json_schema()

    def validate(self, values: dict[str, Any]) -> dict[str, Any]:
        """Return the typed parameters. Raises ``InvalidInput`` that names each wrong one."""
        try:
            model = self.parameters.model_validate(values)
        except ValidationError as error:
            fields = {".".join(map(str, item["loc"])): item["msg"] for item in error.errors()}
            raise InvalidInput(
                f"{self.name}: " + "; ".join(f"{name}: {text}" for name, text in fields.items()),
                fields,
                code="operation.parameters",
            ) from error
        return {name: getattr(model, name) for name in type(model).model_fields}


_operations: dict[str, Operation] = {}
_context: ContextVar[OperationContext | None] = ContextVar("operation_context", default=None)


def operation(
    name: str,
    *,
    kind: Kind = "transactional",
    raises: tuple[type[BusinessError], ...] = (),
    idempotent: bool = False,
    cancel: Callable[[OperationContext, dict[str, Any]], Pending | None] | None = None,
) -> Callable[[F], F]:
    """Register a keyword-only, fully typed and documented function as the operation ``module.verb_noun``.

    *transactional* runs inside the advance, in its commit, within about 20 ms. *external* runs in a worker after
    the commit, at least once, with the key of its context. *media* returns ``Pending`` whose payload is the
    command for the agent that owns the call. ``cancel`` is called with the context and the parameters when the
    task is interrupted; it may return a command. Raises ``TypeError`` at import for an unfit function.
    """

    def register(function: F) -> F:
        hints = get_type_hints(function)
        for item in inspect.signature(function).parameters.values():
            if item.kind is not inspect.Parameter.KEYWORD_ONLY or item.name not in hints:
                raise TypeError(f"operation {name}: parameter {item.name} must be keyword-only and typed")
        if not inspect.getdoc(function):
            raise TypeError(f"operation {name} has no description")
        if name in _operations and _operations[name].function is not function:
            raise TypeError(f"operation {name} is registered twice")
        _operations[name] = Operation(name, function, kind, raises, idempotent, cancel)
        return function

    return register


def find_operation(name: str) -> Operation:
    """Return the operation. Raises ``NotFound`` that lists near names."""
    if name in _operations:
        return _operations[name]
    module = name.split(".")[0]
    near = [known for known in sorted(_operations) if known.split(".")[0] == module]
    raise NotFound(
        f"There is no operation {name!r}." + (f" {module} has: {', '.join(near)}." if near else ""),
        code="operation.unknown",
    )


def all_operations() -> list[Operation]:
    """Return every registered operation, by name."""
    return [_operations[name] for name in sorted(_operations)]


def operation_context() -> OperationContext:
    """Return the context of the operation that is running. Raises ``CmsError`` outside one."""
    context = _context.get()
    if context is None:
        raise CmsError("no operation is running here")
    return context


@contextmanager
def running(context: OperationContext) -> Iterator[None]:
    """Make ``context`` the current one inside the block."""
    token = _context.set(context)
    try:
        yield
    finally:
        _context.reset(token)
