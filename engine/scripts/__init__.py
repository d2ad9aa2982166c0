"""The small Python of diagrams: expressions, assignments, ``if`` and ``for``, checked node by node.

Texts are parsed, every node is looked up in an allow-list, and new Python is generated in which each name,
member, operator and call goes through a guarded helper. No attribute, import or builtin of the interpreter can
be named. Numbers are ``int`` and ``Decimal``; limits on steps, size and time are those of FEEL.
"""

from engine.scripts.compiler import ScriptError, compile_python_expression, compile_python_script

__all__ = ["ScriptError", "compile_python_expression", "compile_python_script"]
