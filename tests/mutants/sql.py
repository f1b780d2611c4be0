"""A step file's text as tokens with their places, so that a change of one of them leaves every other character alone.

No parser of SQL knows the `{lists}` and `%(values)s` of the step files; what is needed here is small: strings, comments
and placeholders as one token each, brackets and CASE as groups.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_TOKEN = re.compile(
    r"(?P<comment>--[^\n]*)|(?P<string>'(?:[^']|'')*')|(?P<placeholder>\{[a-z_]+\}|%\([a-z_]+\)s)"
    r"|(?P<number>\d+)|(?P<word>[A-Za-z_][A-Za-z0-9_]*)|(?P<operator><=|>=|<>|\|\||[-<>=+*/.,;()])|(?P<space>\s+)"
)
_OPENS, _CLOSES = {"(": ")", "CASE": "END"}, {")", "END"}


@dataclass(frozen=True, slots=True)
class Token:
    """`text[start:end]`; a word is compared in capitals."""

    kind: str
    text: str
    start: int
    end: int

    @property
    def word(self) -> str:
        return self.text.upper() if self.kind in ("word", "operator") else ""


@dataclass(frozen=True, slots=True)
class Group:
    """What stands in one pair of brackets, or between CASE and END; the whole text has no bounds of its own."""

    opens: Token | None
    parts: tuple[Token | Group, ...]
    closes: Token | None

    word = ""

    @property
    def start(self) -> int:
        return self.opens.start if self.opens else self.parts[0].start

    @property
    def end(self) -> int:
        return self.closes.end if self.closes else self.parts[-1].end

    @property
    def is_case(self) -> bool:
        return self.opens is not None and self.opens.word == "CASE"

    def within(self) -> Iterator[Group]:
        """This one and every group inside."""
        yield self
        for part in self.parts:
            if isinstance(part, Group):
                yield from part.within()


Part = Token | Group


def tokens(text: str) -> list[Token]:
    """Without comments and spaces. Raises ValueError for a character that it does not know."""
    found, at = [], 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise ValueError(f"not understood: {text[at : at + 20]!r}")
        if match.lastgroup not in ("comment", "space"):
            found.append(Token(str(match.lastgroup), match.group(), at, match.end()))
        at = match.end()
    return found


def group(found: list[Token]) -> Group:
    """The tokens of one statement, or of a file, as nested groups."""
    stack: list[tuple[Token | None, list[Part]]] = [(None, [])]
    for token in found:
        if token.word in _OPENS:
            stack.append((token, []))
        elif token.word in _CLOSES:
            opens, parts = stack.pop()
            if opens is None or _OPENS[opens.word] != token.word:
                raise ValueError(f"{token.text!r} at {token.start} closes nothing")
            stack[-1][1].append(Group(opens, tuple(parts), token))
        else:
            stack[-1][1].append(token)
    if len(stack) != 1:
        raise ValueError("a bracket is not closed")
    return Group(None, tuple(stack[0][1]), None)


def statements(text: str) -> list[Group]:
    """One group a statement, its `;` left out."""
    result: list[Group] = []
    own: list[Part] = []
    for part in group(tokens(text)).parts:
        if part.word == ";":
            result.append(Group(None, tuple(own), None))
            own = []
        else:
            own.append(part)
    return result


def split(parts: tuple[Part, ...], *words: str) -> list[tuple[Part, ...]]:
    """The parts between these words; the AND of a BETWEEN separates nothing."""
    result: list[list[Part]] = [[]]
    between = False
    for part in parts:
        between = between or part.word == "BETWEEN"
        if part.word in words and not (between and part.word == "AND"):
            result.append([])
            continue
        if part.word == "AND":
            between = False
        result[-1].append(part)
    return [tuple(one) for one in result]
