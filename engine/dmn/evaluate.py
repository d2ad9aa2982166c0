"""Evaluating decisions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.dmn.model import (
    Boxed,
    ContextBox,
    Decision,
    FunctionBox,
    InvocationBox,
    ListBox,
    LiteralBox,
    Model,
    RelationBox,
    Rule,
    TableBox,
)
from engine.feel.limits import FeelLimit, Run, null, running
from engine.feel.operators import call, equal
from engine.feel.values import Function, kind, leave
from engine.kernel.errors import NotFound


@dataclass(slots=True)
class Decided:
    """The result of a decision, the rules that fired on the way to it, and the causes of nulls."""

    decision: str
    result: Any
    rules: list[dict[str, Any]] = field(default_factory=list)
    causes: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Return ``{"decision", "result", "rules"}``."""
        return {"decision": self.decision, "result": self.result, "rules": self.rules}


def evaluate(decision: Decision, data: Mapping[str, Any]) -> Decided:
    """Evaluate a decision over variables. Raises ``FeelLimit``."""
    run = Run()
    evaluation = _Evaluation(decision.model)
    with running(run):
        result = evaluation.decision(decision, data)
    return Decided(decision.id, leave(result), evaluation.rules, run.causes)


def decide(decisions: Mapping[str, Decision], name: str, data: Mapping[str, Any]) -> Decided:
    """Evaluate the decision of an id or name. Raises ``NotFound`` that lists the known ones."""
    found = decisions.get(name) or next((item for item in decisions.values() if item.model.find(name)), None)
    if found is not None and found.id != name:
        found = found.model.find(name)
    if found is None:
        raise NotFound(
            f"There is no decision {name!r}; there are: {', '.join(sorted(decisions)) or 'none'}.",
            code="decision.unknown",
        )
    return evaluate(found, data)


class _Evaluation:
    """One run through a requirement graph; each decision is made once."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.rules: list[dict[str, Any]] = []
        self.made: dict[str, Any] = {}
        self.open: set[str] = set()

    def decision(self, decision: Decision, data: Mapping[str, Any]) -> Any:
        if decision.id in self.made:
            return self.made[decision.id]
        if decision.id in self.open:
            raise FeelLimit(f"The decision {decision.name!r} requires itself.")
        self.open.add(decision.id)
        names: dict[str, Any] = dict(data)
        for required in decision.requires:
            if required in self.model.decisions:
                inner = self.model.decisions[required]
                names[inner.variable] = self.decision(inner, data)
            elif required in self.model.knowledge:
                self._provide(self.model.knowledge[required], names)
        result = self.boxed(decision.expression, names, decision)
        self.open.discard(decision.id)
        self.made[decision.id] = result
        return result

    def _provide(self, knowledge: Decision, names: dict[str, Any]) -> None:
        """Bind a business knowledge model, and those it requires, as functions."""
        if knowledge.variable in names and isinstance(names[knowledge.variable], Function):
            return
        assert isinstance(knowledge.expression, FunctionBox)
        own: dict[str, Any] = {}
        names[knowledge.variable] = own[knowledge.variable] = self._function(knowledge.expression, own, knowledge)
        for required in knowledge.requires:
            if required in self.model.knowledge:
                self._provide(self.model.knowledge[required], own)

    def _function(self, box: FunctionBox, names: Mapping[str, Any], decision: Decision) -> Function:
        def invoke(*arguments: Any) -> Any:
            return self.boxed(box.body, {**names, **dict(zip(box.parameters, arguments, strict=True))}, decision)

        return Function(box.name, (tuple(box.parameters),), invoke, len(box.parameters))

    def boxed(self, box: Boxed, names: Mapping[str, Any], decision: Decision) -> Any:
        match box:
            case LiteralBox():
                return box.expression.value(names)
            case TableBox():
                return _Table(box, decision, self.rules).evaluate(names)
            case ContextBox():
                return self._context(box, names, decision)
            case ListBox():
                return [self.boxed(item, names, decision) for item in box.items]
            case RelationBox():
                return [
                    dict(zip(box.columns, (self.boxed(cell, names, decision) for cell in row), strict=False))
                    for row in box.rows
                ]
            case FunctionBox():
                return self._function(box, names, decision)
            case InvocationBox():
                named = {name: self.boxed(value, names, decision) for name, value in box.arguments}
                return call(box.function.value(names), None, named)
        raise TypeError(type(box).__name__)

    def _context(self, box: ContextBox, names: Mapping[str, Any], decision: Decision) -> Any:
        seen = dict(names)
        result: dict[str, Any] = {}
        for name, entry in box.entries:
            value = self.boxed(entry, seen, decision)
            if name is None:
                return value
            seen[name] = result[name] = value
        return result


class _Table:
    """One evaluation of a decision table."""

    def __init__(self, box: TableBox, decision: Decision, fired: list[dict[str, Any]]) -> None:
        self.box = box
        self.decision = decision
        self.fired = fired

    def evaluate(self, names: Mapping[str, Any]) -> Any:
        values = []
        for clause in self.box.inputs:
            value = clause.expression.value(names)
            if value is not None and clause.allowed is not None and clause.allowed.matches(names, value) is not True:
                return null(f"{self.decision.name}: {clause.label} is not one of its allowed values")
            values.append(value)
        stop_early = self.box.hit_policy == "FIRST"
        hits: list[tuple[int, Rule]] = []
        for place, rule in enumerate(self.box.rules, 1):
            if all(test.matches(names, value) is True for test, value in zip(rule.tests, values, strict=True)):
                hits.append((place, rule))
                if stop_early:
                    break
        outputs = [self._outputs(rule, names) for _, rule in hits]
        kept = self._choose(outputs)
        if outputs and not kept:
            return None
        for (place, rule), output in zip(hits, outputs, strict=True):
            if any(output is chosen for chosen in kept):
                self._record(place, rule, values, output)
        return self._result(kept, names)

    def _outputs(self, rule: Rule, names: Mapping[str, Any]) -> list[Any]:
        return [expression.value(names) for expression in rule.outputs]

    def _record(self, place: int, rule: Rule, values: list[Any], output: list[Any]) -> None:
        self.fired.append(
            {
                "decision": self.decision.id,
                "rule": rule.id or str(place),
                "index": place,
                "inputs": {clause.label: leave(value) for clause, value in zip(self.box.inputs, values, strict=True)},
                "outputs": {
                    clause.name or self.decision.variable: leave(value)
                    for clause, value in zip(self.box.outputs, output, strict=True)
                },
                **({"annotation": rule.annotation} if rule.annotation else {}),
            }
        )

    def _choose(self, outputs: list[list[Any]]) -> list[list[Any]]:
        """Return the outputs that count, by the hit policy."""
        if not outputs:
            return []
        match self.box.hit_policy:
            case "UNIQUE":
                if len(outputs) > 1:
                    null(f"{self.decision.name}: {len(outputs)} rules match, but only one may")
                    return []
                return outputs
            case "ANY":
                if any(equal(output, outputs[0]) is not True for output in outputs[1:]):
                    null(f"{self.decision.name}: the rules that match do not agree")
                    return []
                return outputs[:1]
            case "FIRST":
                return outputs[:1]
            case "PRIORITY":
                return sorted(outputs, key=self._priority)[:1]
            case "OUTPUT ORDER":
                return sorted(outputs, key=self._priority)
            case _:
                return outputs

    def _priority(self, output: list[Any]) -> list[int]:
        ranks = []
        for clause, value in zip(self.box.outputs, output, strict=True):
            ranks.append(next((rank for rank, item in enumerate(clause.order) if equal(item, value) is True), 10**6))
        return ranks

    def _shape(self, output: list[Any]) -> Any:
        if len(output) == 1:
            return output[0]
        return {clause.name: value for clause, value in zip(self.box.outputs, output, strict=True)}

    def _result(self, kept: list[list[Any]], names: Mapping[str, Any]) -> Any:
        several = self.box.hit_policy in ("RULE ORDER", "OUTPUT ORDER", "COLLECT")
        if not kept:
            if any(clause.default is not None for clause in self.box.outputs):
                default = [
                    clause.default.value(names) if clause.default is not None else None for clause in self.box.outputs
                ]
                return self._shape(default)
            if self.box.hit_policy == "COLLECT" and self.box.aggregation == "COUNT":
                return 0
            return [] if several and self.box.aggregation is None else null(f"{self.decision.name}: no rule matches")
        if not several:
            return self._shape(kept[0])
        found = [self._shape(output) for output in kept]
        return self._aggregate(found) if self.box.hit_policy == "COLLECT" else found

    def _aggregate(self, found: list[Any]) -> Any:
        if self.box.aggregation is None:
            return found
        if self.box.aggregation == "COUNT":
            return len([value for place, value in enumerate(found) if not any(value == item for item in found[:place])])
        if any(kind(value) != "number" for value in found):
            return null(f"{self.decision.name}: only numbers are aggregated")
        if self.box.aggregation == "SUM":
            return sum(found)
        return min(found) if self.box.aggregation == "MIN" else max(found)
