"""FEEL, the expression language of diagrams and decisions (DMN 1.4 chapter 10), compiled to Python.

    compile_feel("amount * 1.19").evaluate({"amount": 10})    → Decimal("11.90")
    compile_tests("[1..3], > 10").matches({}, 2)              → True

Exact decimals of 34 digits, ternary logic, nulls whose causes are kept, and limits on steps, size, depth and
time. Nothing of Python can be reached from an expression.
"""

from engine.feel.expression import FeelExpression, UnaryTests, compile_feel, compile_tests
from engine.feel.limits import FeelError, FeelLimit, FeelSyntaxError
from engine.feel.values import Function, Range, YearsMonths, enter, kind, leave, text_of

__all__ = [
    "FeelError",
    "FeelExpression",
    "FeelLimit",
    "FeelSyntaxError",
    "Function",
    "Range",
    "UnaryTests",
    "YearsMonths",
    "compile_feel",
    "compile_tests",
    "enter",
    "kind",
    "leave",
    "text_of",
]
