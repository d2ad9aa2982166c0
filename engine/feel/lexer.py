"""Text to tokens, and the names with spaces that only a list of known names can tell."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from engine.feel.limits import FeelSyntaxError

LONGEST = 20_000

KEYWORDS = frozenset(
    [
        "if",
        "then",
        "else",
        "for",
        "return",
        "in",
        "some",
        "every",
        "satisfies",
        "and",
        "or",
        "between",
        "instance",
        "of",
        "function",
        "true",
        "false",
        "null",
    ]
)

_TOKEN = re.compile(
    r"""(?P<space>(?:\s|\ufeff|//[^\n]*|/\*.*?\*/)+)
      | (?P<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)
      | (?P<string>"(?:[^"\\]|\\.)*")
      | (?P<operator>\.\.|\*\*|->|<=|>=|!=|[-+*/=<>()\[\]{},.:?@])
      | (?P<name>(?:[^\W\d]|[\U0001F000-\U0001FAFF])(?:[\w']|[\U0001F000-\U0001FAFF])*)
    """,
    re.VERBOSE | re.DOTALL,
)
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|U[0-9a-fA-F]{6}|.)", re.DOTALL)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", '"': '"', "'": "'", "\\": "\\"}


def excerpt(text: str) -> str:
    """Return a text as messages quote it."""
    return repr(text if len(text) <= 80 else f"{text[:77]}…")


@dataclass(frozen=True, slots=True)
class Token:
    """``kind`` is number, string, operator, name or end; ``at`` counts characters from 0."""

    kind: str
    text: str
    at: int


def tokens(text: str) -> list[Token]:
    """Split an expression. Raises ``FeelSyntaxError``."""
    if len(text) > LONGEST:
        raise FeelSyntaxError(f"The expression is longer than {LONGEST} characters.")
    found = []
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            what = "an unfinished text" if text[at] == '"' else f"{text[at]!r}"
            raise FeelSyntaxError(f"{what} at column {at + 1} of {excerpt(text)}", column=at + 1)
        assert match.lastgroup is not None
        if match.lastgroup != "space":
            found.append(Token(match.lastgroup, match[0], at))
        at = match.end()
    found.append(Token("end", "", len(text)))
    return found


def unescape(quoted: str) -> str:
    """Return what a string token says."""

    def one(match: re.Match[str]) -> str:
        code = match[1]
        if code[0] in "uU" and len(code) > 1:
            return chr(int(code[1:], 16))
        return _ESCAPES.get(code, match[0])

    text = _ESCAPE.sub(one, quoted[1:-1])
    if any("\ud800" <= char <= "\udfff" for char in text):  # escaped surrogate pairs
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


class Names:
    """Known names of several tokens (``date and time``, ``time-zone``), found by their first."""

    def __init__(self, names: Iterable[str] = (), *, base: Names | None = None) -> None:
        self._by_first: dict[str, list[tuple[tuple[str, ...], str]]] = {}
        if base is not None:
            self._by_first = {first: list(found) for first, found in base._by_first.items()}
        for name in names:
            self.learn(name)

    def learn(self, name: str) -> None:
        """Add a name; the longest match wins."""
        parts = tuple(match[0] for match in _TOKEN.finditer(name) if match.lastgroup != "space")
        if len(parts) > 1 and "".join(parts) == name.replace(" ", ""):
            found = self._by_first.setdefault(parts[0], [])
            if (parts, name) not in found:
                found.append((parts, name))
                found.sort(key=lambda item: -len(item[0]))

    def match(self, stream: list[Token], at: int) -> tuple[str, int] | None:
        """Return the longest known name that begins at token ``at``, and its number of tokens."""
        for parts, name in self._by_first.get(stream[at].text, ()):
            found = stream[at : at + len(parts)]
            if len(found) == len(parts) and all(t.text == p for t, p in zip(found, parts, strict=True)):
                return name, len(parts)
        return None
