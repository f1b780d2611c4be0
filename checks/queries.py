"""The statements of a comparison, built once for both databases from the files in `sql/checks/`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import reduce

from psycopg2.sql import SQL, Composable, Identifier, Literal

from checks.catalogue import GONE, Shape
from checks.column_text import Pair, quoted
from warehouse.statements import columns, split, statements, table, text_of


class Queries:
    """What is asked of MySQL (plain text) and of the warehouse (composed) about one table.

    Rows fall into `buckets` buckets by their key: by its value where the first key column is a whole number,
    else by a digest of its text. Both databases compute the same bucket for the same key.
    """

    def __init__(self, shape: Shape, buckets: int) -> None:
        self._shape = shape
        self._buckets = buckets

    def mysql_buckets(self) -> str:
        row = "CONCAT(" + ", ".join(_mysql_part(c.mysql_text) for c in self._shape.columns) + ")"
        return _fill("sql/checks/buckets.mysql.sql", bucket=self._mysql_bucket(), row=row, table=self._mysql_table())

    def warehouse_buckets(self) -> Composable:
        # ||, because a function takes at most a hundred arguments.
        row = reduce(_joined, (_warehouse_part(c.warehouse_text) for c in self._shape.columns))
        return statements(
            "sql/checks/buckets.warehouse.sql",
            {"bucket": self._warehouse_bucket(), "row": row, "table": self._warehouse_table()},
        )[0]

    def mysql_rows(self, buckets: Iterable[int]) -> str:
        order = ", ".join(
            quoted(c.name) if c.whole else f"CAST(IFNULL({c.mysql_text}, '') AS BINARY)" for c in self._shape.key
        )
        return _fill(
            "sql/checks/rows.mysql.sql",
            texts=", ".join(c.mysql_text for c in self._read),
            table=self._mysql_table(),
            bucket=self._mysql_bucket(),
            buckets=", ".join(str(int(b)) for b in buckets),
            order=order,
        )

    def warehouse_rows(self, buckets: Iterable[int]) -> Composable:
        order = [
            SQL("compared.{} NULLS FIRST").format(_identifier(c))
            if c.whole
            else SQL("coalesce({}, '') COLLATE \"C\"").format(c.warehouse_text)
            for c in self._shape.key
        ]
        return statements(
            "sql/checks/rows.warehouse.sql",
            {
                "texts": SQL(", ").join(c.warehouse_text for c in self._read),
                "table": self._warehouse_table(),
                "bucket": self._warehouse_bucket(),
                "buckets": SQL(", ").join(Literal(int(b)) for b in buckets),
                "order": SQL(", ").join(order),
            },
        )[0]

    @property
    def _read(self) -> Sequence[Pair]:
        """The key first: rows are matched by it."""
        return (*self._shape.key, *self._shape.rest)

    def _mysql_table(self) -> str:
        return f"{quoted(self._shape.subject.database)}.{quoted(self._shape.subject.table)}"

    def _warehouse_table(self) -> Composable:
        """The mart with its history: every place where a row may stand."""
        names = columns(dict.fromkeys([*(c.warehouse.name for c in self._shape.columns), *GONE]))
        places = [
            SQL("SELECT {} FROM {}").format(names, table(self._shape.subject.schema, name))
            for name in (self._shape.subject.mart, *self._shape.history)
        ]
        return SQL("({})").format(SQL(" UNION ALL ").join(places))

    def _mysql_bucket(self) -> str:
        first = self._shape.key[0]
        if first.whole:
            return f"MOD({quoted(first.name)}, {self._buckets})"
        return f"MOD(CAST(CONV(LEFT(SHA2(IFNULL({first.mysql_text}, ''), 256), 7), 16, 10) AS SIGNED), {self._buckets})"

    def _warehouse_bucket(self) -> Composable:
        first = self._shape.key[0]
        if first.whole:
            return SQL("mod(coalesce({}, 0), {})").format(_identifier(first), Literal(self._buckets))
        digest = "encode(sha256(convert_to(coalesce({}, ''), 'UTF8')), 'hex')"
        return SQL("mod(('x' || left(" + digest + ", 7))::bit(28)::integer, {})").format(
            first.warehouse_text, Literal(self._buckets)
        )


def _identifier(column: Pair) -> Composable:
    return Identifier(column.warehouse.name)


def _fill(path: str, **parts: str) -> str:
    return split(text_of(path))[0].format(**parts)


def _mysql_part(text: str) -> str:
    return f"IFNULL(CONCAT(LENGTH({text}), ':', {text}), '-')"


def _warehouse_part(text: Composable) -> Composable:
    return SQL("coalesce(octet_length({0}) || ':' || {0}, '-')").format(text)


def _joined(left: Composable, right: Composable) -> Composable:
    return SQL("{} || {}").format(left, right)
