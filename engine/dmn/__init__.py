"""Decisions: DMN 1.1 to 1.5 models parsed, compiled and evaluated by our own evaluator.

    decisions = parse_decisions(root)
    evaluate(decisions["caller_policy"], {"contact": {"known": True}}).result

Expressions are FEEL. Each evaluation tells the rules that fired with their inputs, those of required decisions
included, and the causes of nulls.
"""

from engine.dmn.evaluate import Decided, decide, evaluate
from engine.dmn.model import Decision, DmnError, Model
from engine.dmn.parse import parse_decisions

__all__ = ["Decided", "Decision", "DmnError", "Model", "decide", "evaluate", "parse_decisions"]
