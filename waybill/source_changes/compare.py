"""Two shapes of one table, column by column: what came, went, grew, shrank or became something else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum

from waybill.source_changes.statement import Statement
from waybill.types import Kind, SourceColumn, decimal_shape, integer_bits


class What(Enum):
    """What became of a column. The first five pass by themselves, the others need a decision."""

    ADDED = "added"
    DROPPED = "dropped"
    MADE_ANEW = "dropped and added again"
    WIDENED = "widened"
    DESCRIBED = "described otherwise"  # a comment, NULL allowed, a longer list of an ENUM, a character set
    RENAMED = "renamed"
    NARROWED = "narrowed"
    RETYPED = "of another type"
    PERHAPS_RENAMED = "perhaps renamed"


PASSES = frozenset({What.ADDED, What.DROPPED, What.MADE_ANEW, What.WIDENED, What.DESCRIBED})


@dataclass(frozen=True)
class Difference:
    """One column. `before` is None for one that came, `after` for one that went."""

    what: What
    before: SourceColumn | None
    after: SourceColumn | None

    @property
    def passes(self) -> bool:
        return self.what in PASSES

    def __str__(self) -> str:
        before, after = (spelled(column) if column else "" for column in (self.before, self.after))
        name = (self.before or self.after or SourceColumn("", "")).name
        match self.what:
            case What.ADDED:
                return f"the column {after} was added"
            case What.DROPPED:
                return f"the column {before} was dropped"
            case What.MADE_ANEW:
                return f"the column {name!r} was dropped and added again as {after}"
            case What.RENAMED:
                return f"the column {before} was renamed to {after}"
            case What.PERHAPS_RENAMED:
                return f"the column {before} went and {after} came: dropped and added, or renamed"
            case _:
                return f"the column {name!r} was {self.what.value}: {before} became {after}"


def spelled(column: SourceColumn) -> str:
    """Name and type for a person: 'weight' DECIMAL(10,3)."""
    sizes = [str(n) for n in (column.length, column.scale) if n is not None]
    if column.type.upper().split(" ")[0] in _NO_SIZE:
        sizes = []
    return f"{column.name!r} {column.type}{'(' + ','.join(sizes) + ')' if sizes else ''}"


_NO_SIZE = {
    "TINYINT", "SMALLINT", "MEDIUMINT", "INT", "INTEGER", "BIGINT", "ENUM", "SET", "JSON", "FLOAT", "DOUBLE",
    "TINYTEXT", "TEXT", "MEDIUMTEXT", "LONGTEXT", "TINYBLOB", "BLOB", "MEDIUMBLOB", "LONGBLOB",
}  # fmt: skip


def signature(columns: Iterable[SourceColumn]) -> frozenset[tuple[object, ...]]:
    """What events of one shape have in common, whoever describes it: MySQL's catalogue or the connector."""
    return frozenset((column.name.lower(), *_identity(column)) for column in columns)


def differences(
    before: Sequence[SourceColumn], after: Sequence[SourceColumn], statement: Statement | None
) -> list[Difference]:
    """From one shape to the next. Without a `statement` a rename cannot be told from a drop and an add."""
    old = {column.name.lower(): column for column in before}
    new = {column.name.lower(): column for column in after}
    found: list[Difference] = []
    renamed = dict(statement.renamed_columns) if statement else {}
    for was, now in renamed.items():
        if was in old and now in new:
            found.append(Difference(What.RENAMED, old.pop(was), new.pop(now)))
    for name in [name for name in old if name in new]:
        was_column, now_column = old.pop(name), new.pop(name)
        if statement and name in statement.dropped and name in statement.added:
            found.append(Difference(What.MADE_ANEW, was_column, now_column))
        elif what := _became(was_column, now_column):
            found.append(Difference(what, was_column, now_column))
    if statement is None and old and new:
        # Nobody says which became which: one pair stands for all.
        found.append(Difference(What.PERHAPS_RENAMED, next(iter(old.values())), next(iter(new.values()))))
    found += [Difference(What.DROPPED, column, None) for column in old.values()]
    found += [Difference(What.ADDED, None, column) for column in new.values()]
    return found


def _became(before: SourceColumn, after: SourceColumn) -> What | None:
    if before.kind is not after.kind:
        wider = before.kind is Kind.INTEGER and after.kind is Kind.UNSIGNED_BIGINT and "UNSIGNED" in before.type.upper()
        grows = (before.kind, after.kind) == (Kind.REAL, Kind.DOUBLE)
        shrinks = (before.kind, after.kind) in ((Kind.UNSIGNED_BIGINT, Kind.INTEGER), (Kind.DOUBLE, Kind.REAL))
        return What.WIDENED if wider or grows else What.NARROWED if shrinks else What.RETYPED
    sizes = [_size(column) for column in (before, after)]
    if any(now < was for was, now in zip(*sizes, strict=True)):
        return What.NARROWED
    if any(now > was for was, now in zip(*sizes, strict=True)):
        return What.WIDENED
    if before.width != after.width and before.kind is Kind.TEXT:
        return What.DESCRIBED
    return What.DESCRIBED if (before.comment, before.nullable) != (after.comment, after.nullable) else None


_TEXT_CHARACTERS = {"TINYTEXT": 2**8, "TEXT": 2**16, "MEDIUMTEXT": 2**24, "LONGTEXT": 2**32}
_BINARY_BYTES = {"TINYBLOB": 2**8, "BLOB": 2**16, "MEDIUMBLOB": 2**24, "LONGBLOB": 2**32}


def _size(column: SourceColumn) -> tuple[int, ...]:
    """What must not shrink. Comparable between two columns of one kind."""
    word = column.type.upper().split(" ")[0].split("(")[0]
    match column.kind:
        case Kind.INTEGER:
            return (integer_bits(column),)
        case Kind.DECIMAL:
            precision, scale = decimal_shape(column) or (column.length or 10, column.scale or 0)
            return (precision - scale, scale)
        case Kind.TEXT:
            # ENUM and SET hold members, not characters: only a plain text type can lose some of a longer one.
            return (_TEXT_CHARACTERS.get(word) or (0 if word in ("ENUM", "SET") else column.length or 1),)
        case Kind.BINARY:
            return (_BINARY_BYTES.get(word) or column.length or 1,)
        case Kind.BITS:
            return (column.length or 1,)
        case Kind.DATETIME | Kind.TIMESTAMP | Kind.TIME:
            return (column.length or 0,)
        case _:
            return (0,)


def _identity(column: SourceColumn) -> tuple[object, ...]:
    """Kind and size, as far as the connector tells them in an event's schema."""
    try:
        return (column.kind.value, *_size(column)) if column.kind is not Kind.BINARY else (column.kind.value,)
    except KeyError:
        return (column.type.upper(),)
