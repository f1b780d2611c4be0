"""MySQL's DDL as words: names, texts, numbers and signs, comments left out."""

from __future__ import annotations

import re
from enum import Enum
from typing import NamedTuple


class Kind(Enum):
    """What a word is."""

    NAME = "name"  # a keyword, or a name with or without its quotes
    TEXT = "text"
    NUMBER = "number"
    SIGN = "sign"


class Word(NamedTuple):
    """`text` without quotes and escapes. `quoted` names are never keywords."""

    kind: Kind
    text: str
    quoted: bool = False

    def says(self, *keywords: str) -> bool:
        """Whether it is one of these keywords (in capitals) or signs."""
        return not self.quoted and self.kind in (Kind.NAME, Kind.SIGN) and self.text.upper() in keywords


_WORD = re.compile(
    r"""(?P<space>\s+|/\*(?!!).*?\*/|--[ \t].*?(?:\n|$)|--$|\#.*?(?:\n|$))
    |(?P<hint>/\*!\d*|\*/)
    |`(?P<tick>(?:``|[^`])*)`
    |'(?P<text>(?:''|\\.|[^'\\])*)'
    |"(?P<double>(?:""|\\.|[^"\\])*)"
    |(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?(?![\w$]))
    |(?P<name>[\w$\u0080-\uffff]+)
    |(?P<sign>.)""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "0": "\0", "Z": "\x1a"}


def words_of(statement: str) -> list[Word]:
    """The words of one statement. Never raises: what it does not know becomes signs."""
    found: list[Word] = []
    for match in _WORD.finditer(statement):
        text = match.group(match.lastgroup) if match.lastgroup else ""
        match match.lastgroup:
            case "tick":
                found.append(Word(Kind.NAME, text.replace("``", "`"), quoted=True))
            case "text":
                found.append(Word(Kind.TEXT, _unescaped(text, "'")))
            case "double":
                found.append(Word(Kind.TEXT, _unescaped(text, '"')))
            case "number":
                found.append(Word(Kind.NUMBER, text))
            case "name":
                found.append(Word(Kind.NAME, text))
            case "sign":
                found.append(Word(Kind.SIGN, text))
    return found


def _unescaped(text: str, quote: str) -> str:
    return re.sub(
        rf"{quote}{quote}|\\(.)",
        lambda m: quote if m.group(1) is None else _ESCAPES.get(m.group(1), m.group(1)),
        text,
        flags=re.DOTALL,
    )


def clauses_of(words: list[Word]) -> list[list[Word]]:
    """Split at the commas that stand in no parentheses."""
    found: list[list[Word]] = [[]]
    depth = 0
    for word in words:
        depth += word.says("(") - word.says(")")
        if depth == 0 and word.says(","):
            found.append([])
        else:
            found[-1].append(word)
    return [clause for clause in found if clause]
