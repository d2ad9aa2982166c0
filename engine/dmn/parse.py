"""Reading a DMN file into compiled decisions."""

from __future__ import annotations

from typing import Any, NoReturn

from lxml import etree

from engine.dmn.model import (
    Boxed,
    ContextBox,
    Decision,
    DmnError,
    FunctionBox,
    InputClause,
    InvocationBox,
    ListBox,
    LiteralBox,
    Model,
    OutputClause,
    RelationBox,
    Rule,
    TableBox,
)
from engine.feel import FeelError, FeelExpression, UnaryTests, compile_feel, compile_tests

HIT_POLICIES = frozenset(("UNIQUE", "ANY", "PRIORITY", "FIRST", "RULE ORDER", "OUTPUT ORDER", "COLLECT"))
_BOXES = ("literalExpression", "decisionTable", "context", "list", "relation", "invocation", "functionDefinition")


def _local(element: Any) -> str:
    return str(etree.QName(element).localname)


def _children(element: Any, *names: str) -> list[Any]:
    return [child for child in element if _local(child) in names]


def _child(element: Any, name: str) -> Any:
    return next(iter(_children(element, name)), None)


def _text(element: Any) -> str:
    """Return the text of an element that holds a ``text`` child."""
    if element is None:
        return ""
    inner = _child(element, "text")
    return ("" if inner is None else inner.text or "").strip()


def _fail(element: Any, message: str, remedy: str = "Correct it in the decision editor.") -> NoReturn:
    shown = element
    while shown.get("id") is None and shown.getparent() is not None:
        shown = shown.getparent()
    named = next((item for item in (shown, *shown.iterancestors()) if item.get("name")), shown)
    raise DmnError(message, element=shown.get("id"), name=named.get("name"), line=element.sourceline, remedy=remedy)


def parse_decisions(root: Any) -> dict[str, Decision]:
    """Compile every decision of a DMN file. Raises ``DmnError`` at the first that cannot be read."""
    return _Reader(root).model.decisions


class _Reader:
    def __init__(self, root: Any) -> None:
        self.root = root
        self.model = Model()
        self.known = frozenset(self._names())
        for element in _children(root, "businessKnowledgeModel"):
            logic = _child(element, "encapsulatedLogic")
            if logic is None:
                _fail(element, "The business knowledge model has no logic.")
            self._add(element, self._function(logic, self._variable(element)), self.model.knowledge)
        for element in _children(root, "decision"):
            box = next(iter(_children(element, *_BOXES)), None)
            if box is None:
                _fail(element, "The decision has no logic.", "Add a decision table or an expression.")
            self._add(element, self._boxed(box), self.model.decisions)

    def _names(self) -> list[str]:
        names = []
        for element in self.root.iter():
            if _local(element) in ("inputData", "decision", "businessKnowledgeModel", "decisionService"):
                names.append(self._variable(element))
            elif _local(element) in ("itemComponent", "formalParameter", "parameter", "variable", "column", "output"):
                names.append(element.get("name") or "")
        for element in _children(self.root, "inputData"):
            self.model.inputs.append(self._variable(element))
        return [name for name in names if name]

    @staticmethod
    def _variable(element: Any) -> str:
        variable = _child(element, "variable")
        name = variable.get("name") if variable is not None else None
        return " ".join((name or element.get("name") or "").split())

    def _add(self, element: Any, box: Boxed, target: dict[str, Decision]) -> None:
        requires = []
        for requirement in _children(element, "informationRequirement", "knowledgeRequirement"):
            for end in _children(requirement, "requiredDecision", "requiredKnowledge"):
                requires.append((end.get("href") or "").rpartition("#")[2])
        name = element.get("id") or element.get("name") or ""
        variable = self._variable(element)
        target[name] = Decision(name, element.get("name") or name, variable, box, requires, self.model)

    # --- boxed expressions ------------------------------------------------------------------------------------

    def _feel(self, element: Any, text: str) -> FeelExpression:
        language = element.get("expressionLanguage") or self.root.get("expressionLanguage") or "feel"
        if "feel" not in language.lower():
            _fail(element, f"The expression language {language!r} is not supported.", "Write it in FEEL.")
        try:
            return compile_feel(text or "null", self.known)
        except FeelError as error:
            _fail(element, f"The expression cannot be read: {error.message}", "Correct the FEEL expression.")

    def _tests(self, element: Any, text: str) -> UnaryTests:
        try:
            return compile_tests(text or "-", self.known)
        except FeelError as error:
            _fail(element, f"The test cannot be read: {error.message}", "Correct the FEEL unary test.")

    def _boxed(self, element: Any) -> Boxed:
        match _local(element):
            case "literalExpression":
                return LiteralBox(self._feel(element, _text(element)))
            case "decisionTable":
                return self._table(element)
            case "context":
                return ContextBox([self._entry(entry) for entry in _children(element, "contextEntry")])
            case "list":
                return ListBox([self._boxed(item) for item in _children(element, *_BOXES)])
            case "relation":
                columns = [column.get("name") or "" for column in _children(element, "column")]
                rows = [[self._boxed(cell) for cell in _children(row, *_BOXES)] for row in _children(element, "row")]
                return RelationBox(columns, rows)
            case "functionDefinition":
                return self._function(element, "function")
            case _:
                return self._invocation(element)

    def _entry(self, entry: Any) -> tuple[str | None, Boxed]:
        variable = _child(entry, "variable")
        boxes = _children(entry, *_BOXES)
        if not boxes:
            _fail(entry, "The context entry has no expression.")
        return (None if variable is None else variable.get("name")), self._boxed(boxes[0])

    def _function(self, element: Any, name: str) -> FunctionBox:
        if element.get("kind", "FEEL") != "FEEL":
            _fail(element, f"Functions of kind {element.get('kind')!r} are not executed.", "Write it in FEEL.")
        boxes = _children(element, *_BOXES)
        if not boxes:
            _fail(element, "The function has no body.")
        parameters = [item.get("name") or "" for item in _children(element, "formalParameter")]
        return FunctionBox(name, parameters, self._boxed(boxes[0]))

    def _invocation(self, element: Any) -> InvocationBox:
        boxes = _children(element, *_BOXES)
        function = next((box for box in boxes if _local(box) == "literalExpression"), None)
        if function is None:
            _fail(element, "The invocation does not say what it calls.")
        arguments = []
        for binding in _children(element, "binding"):
            parameter = _child(binding, "parameter")
            values = _children(binding, *_BOXES)
            if parameter is None or not values:
                _fail(binding, "The binding has no parameter or no value.")
            arguments.append((parameter.get("name") or "", self._boxed(values[0])))
        return InvocationBox(self._feel(function, _text(function)), arguments)

    # --- tables -----------------------------------------------------------------------------------------------

    def _table(self, element: Any) -> TableBox:
        policy = element.get("hitPolicy", "UNIQUE")
        if policy not in HIT_POLICIES:
            _fail(element, f"There is no hit policy {policy!r}.", "Choose one of the seven.")
        inputs = [self._input(item) for item in _children(element, "input")]
        outputs = [self._output(item) for item in _children(element, "output")]
        if not outputs:
            _fail(element, "The table has no output.", "Add an output column.")
        rules = [self._rule(item, inputs, outputs) for item in _children(element, "rule")]
        return TableBox(element.get("id") or "", policy, element.get("aggregation"), inputs, outputs, rules)

    def _input(self, element: Any) -> InputClause:
        expression = _child(element, "inputExpression")
        text = _text(expression)
        if expression is None or not text:
            _fail(element, "The input column has no expression.", "Write what the column tests.")
        allowed = _text(_child(element, "inputValues")) or self._type_values(expression.get("typeRef"))
        label = element.get("label") or text
        return InputClause(label, self._feel(expression, text), self._tests(element, allowed) if allowed else None)

    def _type_values(self, type_name: str | None) -> str:
        """Return the allowed values of an item definition, as unary tests."""
        name = (type_name or "").rpartition(":")[2]
        for item in _children(self.root, "itemDefinition"):
            if item.get("name") == name and item.get("isCollection") != "true":
                return _text(_child(item, "allowedValues"))
        return ""

    def _output(self, element: Any) -> OutputClause:
        name = element.get("name") or ""
        clause = OutputClause(name, element.get("label") or name)
        values = _text(_child(element, "outputValues")) or self._type_values(element.get("typeRef"))
        if values:
            clause.allowed = self._tests(element, values)
            listed = compile_listed(values, self.known)
            clause.order = listed if listed is not None else []
        default = _child(element, "defaultOutputEntry")
        if default is not None:
            clause.default = self._feel(default, _text(default))
        return clause

    def _rule(self, element: Any, inputs: list[InputClause], outputs: list[OutputClause]) -> Rule:
        tests = [self._tests(entry, _text(entry)) for entry in _children(element, "inputEntry")]
        results = [self._feel(entry, _text(entry)) for entry in _children(element, "outputEntry")]
        if len(tests) != len(inputs) or len(results) != len(outputs):
            _fail(element, "The rule does not have a cell for each column.", "Fill in or remove the missing cells.")
        annotation = " ".join(_text(item) for item in _children(element, "annotationEntry", "description"))
        return Rule(element.get("id") or "", tests, results, annotation.strip())


def compile_listed(values: str, known: frozenset[str]) -> list[Any] | None:
    """Return the values that ``"a", "b"`` lists in order, or None where it is no plain list."""
    try:
        listed = compile_feel(f"[{values}]", known).value({})
    except FeelError:
        return None
    return listed if isinstance(listed, list) else None
