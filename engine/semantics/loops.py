"""Repeated activities: multi-instance and standard loop (BPMN 2.0, 13.3.6 and 13.3.7).

The activity's own token is the body; it opens a scope in which each instance is a token at the same node. Boundary
events belong to the body.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from engine.expressions import Expression
from engine.kernel.errors import CmsError
from engine.semantics.token import Token
from engine.semantics.values import copy

if TYPE_CHECKING:
    from engine.semantics.activity import Activity

COUNTER = "loopCounter"


class Loop:
    """How an activity is repeated."""

    activity: Activity

    def begin(self, body: Token) -> bool:
        """Start the first instances; True when there are none."""
        raise NotImplementedError

    def instance_done(self, token: Token) -> None:
        """Take in that one instance is done, and start the next or end the body."""
        raise NotImplementedError

    def answered(self, body: Token, answer: Any) -> bool:
        """End the body."""
        body.absorb(answer["data"], answer["stamps"])
        if answer.get("outputs") is not None:
            body.write(answer["outputs"])
        return True

    def open(self, body: Token, local_names: frozenset[str]) -> None:
        """Open the scope of the instances."""
        body.machine.open_scope(body.scope.spec, "instances", body, dict(body.data), local_names)

    def spawn(self, body: Token, data: dict[str, Any], own: dict[str, Any]) -> None:
        """Let one instance appear, with variables of its own."""
        assert body.child is not None
        token = body.machine.spawn(body.child, self.activity, data, {}, came_from=body.came_from)
        token.inner = True
        token.write(own)
        token.changes.clear()

    def finish(self, body: Token, outputs: dict[str, Any] | None = None) -> None:
        """End what is left of the instances and answer the body."""
        scope = body.child
        assert scope is not None
        for token in scope.living():
            body.machine.cancel(token)
        data, stamps = scope.outgoing()
        body.machine.close_scope(scope)
        body.machine.answer(body, {"data": data, "stamps": stamps, "outputs": outputs})


@dataclass
class MultiInstance(Loop):
    """One instance for each item of a collection, or a number of them, in turn or at the same time."""

    activity: Activity
    sequential: bool
    collection: Expression | None = None
    cardinality: Expression | None = None
    item_name: str | None = None
    output_collection: str | None = None
    output_item: Expression | None = None
    completion: Expression | None = None

    @property
    def local_names(self) -> frozenset[str]:
        """Variables that stay inside an instance."""
        return frozenset({COUNTER, self.item_name} - {None})  # type: ignore[arg-type]

    def begin(self, body: Token) -> bool:
        """Evaluate the collection once and start the instances: all, or the first."""
        items = self._items(body)
        outputs = [None] * len(items) if self.output_collection else None
        body.loop = {"items": items if self.sequential else None, "total": len(items), "next": 0, "done": 0}
        body.loop["outputs"] = outputs
        if not items:
            if self.output_collection:
                body.write({self.output_collection: []})
            return True
        self.open(body, self.local_names)
        for item in items[:1] if self.sequential else items:
            self._start(body, item)
        return False

    def _items(self, body: Token) -> list[Any]:
        if self.collection is not None:
            items = self.collection.evaluate(body.context)
            if not isinstance(items, (list, tuple)):
                raise CmsError("The collection of a multi-instance activity is not a list.", code="loop.collection")
            return list(items)
        assert self.cardinality is not None
        count = self.cardinality.evaluate(body.context)
        try:
            number = int(count)
        except (TypeError, ValueError):
            number = -1
        if number < 0:
            raise CmsError(f"{count!r} is not a number of instances.", code="loop.cardinality")
        return list(range(1, number + 1))

    def _start(self, body: Token, item: Any) -> None:
        assert body.loop is not None
        assert body.child is not None
        body.loop["next"] += 1
        own: dict[str, Any] = {COUNTER: body.loop["next"]}
        if self.item_name:
            own[self.item_name] = item
        self.spawn(body, copy(body.child.variables()[0] if self.sequential else body.child.base), own)

    def instance_done(self, token: Token) -> None:
        """Keep the instance's output; stop early when the completion condition says so (BPMN 2.0, 13.3.7)."""
        scope, machine = token.scope, token.machine
        body = scope.host
        assert body is not None
        assert body.loop is not None
        progress = dict(body.loop)
        progress["done"] += 1
        outputs = progress["outputs"]
        if outputs is not None and self.output_item is not None:
            outputs[token.data[COUNTER] - 1] = self.output_item.evaluate(token.context)
        complete = progress["done"] == progress["total"] or self._is_complete(token, progress, scope.live)
        scope.absorb(token.data, token.stamps)
        machine.end(token)
        body.loop = progress
        machine.touched[body.id] = body
        if complete:
            self.finish(body, {self.output_collection: outputs} if self.output_collection else None)
        elif self.sequential:
            self._start(body, progress["items"][progress["next"]])

    def _is_complete(self, token: Token, progress: Mapping[str, Any], live: int) -> bool:
        if self.completion is None:
            return False
        counts = {
            "numberOfInstances": progress["total"],
            "numberOfCompletedInstances": progress["done"],
            "numberOfActiveInstances": live - 1 if not self.sequential else 0,
            "numberOfTerminatedInstances": 0,
        }
        return self.completion.evaluate({**token.context, **counts}) is True


@dataclass
class StandardLoop(Loop):
    """The same activity again while a condition holds, tested before or after each turn."""

    activity: Activity
    condition: Expression | None
    maximum: int | None
    test_before: bool

    def begin(self, body: Token) -> bool:
        """Start the first turn, if there is one."""
        body.loop = {"turns": 0}
        if self.test_before and not self._again(body.context, 0):
            return True
        self.open(body, frozenset({COUNTER}))
        self._turn(body, copy(body.data))
        return False

    def _turn(self, body: Token, data: dict[str, Any]) -> None:
        assert body.loop is not None
        body.loop = {"turns": body.loop["turns"] + 1}
        self.spawn(body, data, {COUNTER: body.loop["turns"]})

    def _again(self, context: Mapping[str, Any], turns: int) -> bool:
        if self.maximum is not None and turns >= self.maximum:
            return False
        return self.condition is None or self.condition.evaluate({**context, COUNTER: turns}) is True

    def instance_done(self, token: Token) -> None:
        """Take another turn with the variables as they are now, or end."""
        scope = token.scope
        body = scope.host
        assert body is not None
        assert body.loop is not None
        again = self._again(token.context, body.loop["turns"])
        scope.absorb(token.data, token.stamps)
        token.machine.end(token)
        if again:
            self._turn(body, token.data)
        else:
            self.finish(body)
