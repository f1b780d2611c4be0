"""From the text that `mysqlbinlog -vv --print-table-metadata` prints to transactions of row events."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from tests.chaos.events import Key, RowEvent, Transaction
from tests.chaos.forms import Column, from_binlog, unquoted

_EVENT = re.compile(r"^#\d{6} .*?end_log_pos (\d+) (?:CRC32 0x[0-9a-f]+ )?\t(.*)$")
_ROTATE = re.compile(r"^Rotate to (\S+) {1,2}pos: (\d+)")
_GTID = re.compile(r"^SET @@SESSION\.GTID_NEXT= '([0-9a-f-]{36}:(\d+))'")
_TABLE = re.compile(r"^Table_map: `(.+)`\.`(.+)` mapped to")
_COLUMN = re.compile(r"^#\s+(?:Columns\()?`((?:[^`]|``)*)` (.*)$")
_KEY = re.compile(r"^# Primary Key\((.*)\)$")
_ROW = re.compile(r"^### (INSERT INTO|UPDATE|DELETE FROM) `(.+)`\.`(.+)`$")
_VALUE = re.compile(r"^###   @(\d+)=(.*) /\* [A-Z/ ]+(?:\([^)]*\))? meta=\d+ nullable=\d is_null=\d \*/$", re.DOTALL)
_LABEL = re.compile(r"'(?:[^'\\]|\\.)*'")


@dataclass
class _Table:
    """A table as the latest Table_map declares it."""

    columns: list[Column] = field(default_factory=list)
    key: list[str] = field(default_factory=list)


@dataclass
class _Row:
    """A row event being read: images before and after, literal by place."""

    verb: str
    table: str
    before: dict[int, str] = field(default_factory=dict)
    after: dict[int, str] = field(default_factory=dict)


class BinlogText:
    """Reads the text once, from a position on. `file` and `position` stand behind the last whole transaction.

    `carried` is database.table of the tables whose events are wanted. Raises ValueError for text that it does not know
    how to read: a comparison with half a truth would be worth nothing.
    """

    def __init__(self, file: str, position: int, carried: Collection[str]) -> None:
        self.file, self.position = file, position
        self._carried = frozenset(carried)
        self._at = (file, position)
        self._tables: dict[str, _Table] = {}
        self._mapped = ""
        self._gtid: tuple[str, int] | None = None
        self._rows: list[_Row] = []

    def columns(self) -> Mapping[str, list[Column]]:
        """The carried tables' columns, as far as they were met."""
        return {name: table.columns for name, table in self._tables.items() if name in self._carried}

    def keys(self) -> Mapping[str, list[str]]:
        """Their primary keys, lower case."""
        return {name: table.key for name, table in self._tables.items() if name in self._carried}

    def read(self, lines: Iterable[str]) -> Iterator[Transaction]:
        """Every transaction that the text holds whole."""
        for line in lines:
            if line.startswith("###   @"):
                self._value(line)
            elif line.startswith("### "):
                self._row(line)
            elif line.startswith("#"):
                self._comment(line)
            elif begins := _GTID.match(line):
                self._gtid, self._rows = (begins[1], int(begins[2])), []
            elif line.startswith("COMMIT") and self._gtid:
                yield self._whole()

    def _comment(self, line: str) -> None:
        if event := _EVENT.match(line):
            end, what = int(event[1]), event[2]
            if rotate := _ROTATE.match(what):
                self._at = (rotate[1], int(rotate[2]))
            elif end:
                self._at = (self._at[0], end)
            if table := _TABLE.match(what):
                self._mapped = f"{table[1]}.{table[2]}"
                self._tables[self._mapped] = _Table()
            return
        if column := _COLUMN.match(line):
            declared = column[2]
            labels = tuple(unquoted(each) for each in _LABEL.findall(declared)) if declared.startswith("ENUM") else ()
            self._tables[self._mapped].columns.append(Column(column[1].lower(), declared, labels))
        elif key := _KEY.match(line):
            self._tables[self._mapped].key = [name.strip().strip("`").lower() for name in key[1].split(",")]

    def _row(self, line: str) -> None:
        if found := _ROW.match(line):
            self._rows.append(_Row(found[1], f"{found[2]}.{found[3]}"))
        elif line.strip() == "### WHERE":
            self._into = self._rows[-1].before
        elif line.strip() == "### SET":
            self._into = self._rows[-1].after
        else:
            raise ValueError(f"mysqlbinlog printed {line!r}, which is not known here")

    def _value(self, line: str) -> None:
        found = _VALUE.match(line.rstrip("\n"))
        if not found:
            raise ValueError(f"mysqlbinlog printed {line[:200]!r}, which is not known here")
        self._into[int(found[1])] = found[2]

    def _whole(self) -> Transaction:
        assert self._gtid
        gtid, number = self._gtid
        events: list[RowEvent] = []
        counted: dict[str, int] = {}
        for row in self._rows:
            if row.table not in self._carried:
                continue
            for op, image in self._changes(row):
                counted[row.table] = counted.get(row.table, 0) + 1
                events.append(self._event(row.table, number, counted[row.table], op, image))
        self.file, self.position = self._at
        self._gtid, self._rows = None, []
        return Transaction(gtid, number, tuple(events))

    def _changes(self, row: _Row) -> list[tuple[str, dict[int, str]]]:
        if row.verb == "INSERT INTO":
            return [("c", row.after)]
        if row.verb == "DELETE FROM":
            return [("d", row.before)]
        if self._key(row.table, row.before) != self._key(row.table, row.after):
            return [("d", row.before), ("c", row.after)]
        return [("u", row.after)]

    def _key(self, table: str, image: Mapping[int, str]) -> Key:
        known = self._tables[table]
        places = {column.name: place for place, column in enumerate(known.columns, 1)}
        return tuple(from_binlog(known.columns[places[name] - 1], image[places[name]]) for name in known.key)

    def _event(self, table: str, number: int, order: int, op: str, image: Mapping[int, str]) -> RowEvent:
        columns = self._tables[table].columns
        if len(image) != len(columns):
            raise ValueError(f"{table} has {len(columns)} columns, an image of {len(image)} in GTID number {number}")
        values = {column.name: from_binlog(column, image[place]) for place, column in enumerate(columns, 1)}
        return RowEvent(table, number, order, op, self._key(table, image), values)
