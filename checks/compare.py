"""Two tables compared: first digests of buckets, then, where those differ, row by row in the order of keys.

Neither side is held in memory: the bucket pass returns one line a bucket, the row pass merges two streams.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from checks import same_value
from checks.catalogue import Shape
from checks.mysql import MysqlSession
from checks.queries import Queries
from warehouse.session import Session

MISSING, EXTRA, TWICE, DIFFERS = "missing", "extra", "twice", "differs"
Texts = tuple[str | None, ...]


@dataclass(frozen=True)
class Difference:
    """One thing that is not equal. `column` is '' and the values None for a whole row.

    `kind`: `missing` (in MySQL only), `extra` (in the mart only), `twice` (a second row of a key in the mart),
    `differs` (one column). Values are the texts that the databases made.
    """

    table: str
    kind: str
    key: dict[str, str | None]
    column: str = ""
    mysql: str | None = None
    mart: str | None = None


@dataclass(frozen=True)
class Buckets:
    """One side's digest: rows and checksum by bucket."""

    by_number: dict[int, tuple[int, int]]

    @property
    def rows(self) -> int:
        return sum(count for count, _ in self.by_number.values())

    @property
    def checksum(self) -> str:
        """Of all rows, as 16 hexadecimal digits."""
        return f"{sum(total for _, total in self.by_number.values()) % 2**64:016x}"

    def unlike(self, other: Buckets) -> list[int]:
        """Numbers of the buckets that differ."""
        both = self.by_number.keys() | other.by_number.keys()
        return sorted(b for b in both if self.by_number.get(b) != other.by_number.get(b))


def digest(mysql: MysqlSession, session: Session, queries: Queries) -> tuple[Buckets, Buckets]:
    """MySQL's buckets and the mart's, read at the same time."""
    with ThreadPoolExecutor(1) as pool:
        theirs = pool.submit(mysql.rows, queries.mysql_buckets(), None, "computing checksums")
        ours = _buckets(session.rows(queries.warehouse_buckets(), doing="computing checksums of a mart"))
        return _buckets(theirs.result()), ours


def _buckets(rows: list[dict[str, Any]]) -> Buckets:
    return Buckets({int(r["bucket"] or 0): (int(r["row_count"]), int(r["checksum"] or 0)) for r in rows})


@dataclass
class Spelling:
    """Counts rows whose texts differ and whose values are equal (JSON numbers, floating point)."""

    rows: int = 0


def differences(
    mysql: MysqlSession, session: Session, shape: Shape, queries: Queries, buckets: list[int], spelling: Spelling
) -> Iterator[Difference]:
    """Every difference in these buckets, by key. Texts that differ but mean the same value are none."""
    theirs = mysql.stream(queries.mysql_rows(buckets), f"reading {shape.subject.source}")
    ours = session.stream(queries.warehouse_rows(buckets))
    yield from merged(shape, theirs, ours, spelling)


def merged(shape: Shape, mysql: Iterator[Texts], mart: Iterator[Texts], spelling: Spelling) -> Iterator[Difference]:
    """Both streams hold the key's texts first, then the other columns', and are sorted by key."""
    width, source = len(shape.key), shape.subject.source

    def key_of(row: Texts) -> dict[str, str | None]:
        return {c.name: text for c, text in zip(shape.key, row, strict=False)}

    left, right = next(mysql, None), next(mart, None)
    seen: Texts | None = None
    while left is not None or right is not None:
        if right is not None and right[:width] == seen:
            yield Difference(source, TWICE, key_of(right))
            right = next(mart, None)
        elif right is None or (left is not None and _place(shape, left) < _place(shape, right)):
            assert left is not None
            yield Difference(source, MISSING, key_of(left))
            left = next(mysql, None)
        elif left is None or _place(shape, right) < _place(shape, left):
            yield Difference(source, EXTRA, key_of(right))
            seen, right = right[:width], next(mart, None)
        else:
            yield from _columns(shape, key_of(left), left[width:], right[width:], spelling)
            seen = right[:width]
            left, right = next(mysql, None), next(mart, None)


def _place(shape: Shape, row: Texts) -> list[int | bytes]:
    """Where a row stands in the order of the streams; a NULL in a key of the mart stands first."""
    return [
        (int(text) if text is not None else -(2**65)) if c.whole else (text or "").encode()
        for c, text in zip(shape.key, row, strict=False)
    ]


def _columns(
    shape: Shape, key: dict[str, str | None], mysql: Texts, mart: Texts, spelling: Spelling
) -> Iterator[Difference]:
    if mysql == mart:
        return
    equal = True
    for column, left, right in zip(shape.rest, mysql, mart, strict=True):
        if left != right and not same_value.same(column.mysql.data_type, left, right):
            equal = False
            yield Difference(shape.subject.source, DIFFERS, key, column.name, left, right)
    spelling.rows += equal
