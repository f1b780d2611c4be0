"""One transaction of the generator: what it wrote, counted, and how to find out later whether it was committed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pymysql.cursors import Cursor

from source.databases import quoted

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Proof:
    """A row whose state tells a committed transaction from a lost one.

    With a token: committed if the row is there and its `last_request` is the token. Without: if it is gone.
    """

    table: str
    key: Row
    token: str | None

    def holds(self, cursor: Cursor) -> bool:
        """Look, waiting for whoever still holds the row's lock: a session that is just committing."""
        where, params = _where(self.key)
        cursor.execute(f"SELECT last_request FROM {quoted(self.table)} WHERE {where} FOR SHARE", params)
        row = cursor.fetchone()
        return row is None if self.token is None else row is not None and row[0] == self.token


class Transaction:
    """Statements by table and key. Counts the row changes that the binlog will carry.

    `token` is written into `last_request` of every row inserted or updated; it is unique to the transaction.
    """

    def __init__(self, cursor: Cursor, token: str) -> None:
        self._cursor = cursor
        self.token = token
        self.changes: Counter[tuple[str, str]] = Counter()
        self.proof: Proof | None = None

    def rows(self, sql: str, *params: object) -> list[tuple[Any, ...]]:
        """All rows of a query."""
        self._cursor.execute(sql, params)
        return [tuple(row) for row in self._cursor.fetchall()]

    def first(self, sql: str, *params: object) -> tuple[Any, ...] | None:
        """The first row of a query, or None."""
        found = self.rows(sql, *params)
        return found[0] if found else None

    def insert(self, table: str, key: Sequence[str], rows: Sequence[Row]) -> None:
        """Insert rows of the same columns in one statement; `key` names the primary key's columns."""
        names = (*rows[0], "last_request")
        holes = "(" + ", ".join(["%s"] * len(names)) + ")"
        params = [value for row in rows for value in (*row.values(), self.token)]
        count = self._cursor.execute(
            f"INSERT INTO {quoted(table)} ({', '.join(map(quoted, names))}) VALUES {', '.join([holes] * len(rows))}",
            params,
        )
        self._written(table, "insert", count, {name: rows[-1][name] for name in key}, self.token)

    def update(self, table: str, key: Row, changes: Row) -> int:
        """Change one row by its primary key, which may itself be among the changes. Returns rows changed."""
        where, params = _where(key)
        count = self._set(table, changes, where, params)
        self._written(table, "update", count, {name: changes.get(name, key[name]) for name in key}, self.token)
        return count

    def update_where(self, table: str, changes: Row, where: str, *params: object) -> int:
        """Change many rows in one statement; proves nothing, so a row by key belongs into the same transaction."""
        count = self._set(table, changes, where, params)
        self.changes[table, "update"] += count
        return count

    def delete(self, table: str, key: Row) -> int:
        """Delete by primary key or a part of it. Returns rows deleted."""
        where, params = _where(key)
        count = self._cursor.execute(f"DELETE FROM {quoted(table)} WHERE {where}", params)
        self._written(table, "delete", count, key, None)
        return count

    def savepoint(self) -> tuple[Counter[tuple[str, str]], Proof | None]:
        """Remember this point."""
        self._cursor.execute("SAVEPOINT half_way")
        return self.changes.copy(), self.proof

    def back_to(self, point: tuple[Counter[tuple[str, str]], Proof | None]) -> None:
        """Undo what came after the savepoint."""
        self._cursor.execute("ROLLBACK TO SAVEPOINT half_way")
        self.changes, self.proof = point[0].copy(), point[1]

    @property
    def row_changes(self) -> int:
        """Rows inserted, updated and deleted."""
        return sum(self.changes.values())

    def _set(self, table: str, changes: Row, where: str, params: Sequence[object]) -> int:
        names = ", ".join(f"{quoted(name)} = %s" for name in (*changes, "last_request"))
        return self._cursor.execute(
            f"UPDATE {quoted(table)} SET {names} WHERE {where}", (*changes.values(), self.token, *params)
        )

    def _written(self, table: str, what: str, count: int, key: Row, token: str | None) -> None:
        if count:
            self.changes[table, what] += count
            self.proof = Proof(table, dict(key), token)


def _where(key: Row) -> tuple[str, list[object]]:
    return " AND ".join(f"{quoted(name)} = %s" for name in key), list(key.values())
