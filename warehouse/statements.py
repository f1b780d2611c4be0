"""SQL that lives in files: identifiers are composed by the driver, values stay parameters.

A file may hold several statements, separated by a line that ends with `;`. `{name}` stands for an identifier
or a list that the caller composes; `%(name)s` for a value.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

from psycopg2.sql import SQL, Composable, Identifier

ROOT = Path(__file__).resolve().parent.parent


@cache
def text_of(path: str) -> str:
    """Text of a SQL file, `path` relative to the checkout."""
    return (ROOT / path).read_text(encoding="utf-8")


def split(text: str) -> list[str]:
    """The statements of a file, comments that stand before them included."""
    statements: list[str] = []
    lines: list[str] = []
    for line in text.splitlines():
        lines.append(line)
        if line.rstrip().endswith(";") and not line.lstrip().startswith("--"):
            statements.append("\n".join(lines).strip().removesuffix(";"))
            lines = []
    rest = [line for line in lines if line.strip() and not line.lstrip().startswith("--")]
    if rest:
        raise ValueError(f"a statement without its ';': {rest[0]!r}")
    return statements


def statements(path: str, names: Mapping[str, Composable]) -> list[Composable]:
    """The statements of a file with its `{names}` filled in. Raises KeyError for a name that is not given."""
    return [SQL(statement).format(**names) for statement in split(text_of(path))]


def table(schema: str, name: str) -> Composable:
    """`"schema"."name"`."""
    return Identifier(schema, name)


def columns(names: Iterable[str], prefix: str = "") -> Composable:
    """A comma-separated list of columns, each `prefix.column` if a prefix is given."""
    return SQL(", ").join(Identifier(prefix, n) if prefix else Identifier(n) for n in names)


def matches(names: Iterable[str], left: str, right: str) -> Composable:
    """`left.a = right.a AND left.b = right.b ...`"""
    return SQL(" AND ").join(SQL("{} = {}").format(Identifier(left, n), Identifier(right, n)) for n in names)
