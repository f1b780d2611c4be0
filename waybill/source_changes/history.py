"""A table's shapes over time: which columns an event of a given age has, and where each is kept.

Versions count the shapes from 0. A column's entry holds from the version that added it up to, not with, the one that
dropped it; a column that is widened, renamed or made anew ends one entry and begins another.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property

from waybill.gtid import Gtid
from waybill.source_changes.compare import signature
from waybill.types import SourceColumn


@dataclass(frozen=True)
class Entry:
    """One column during some versions. `default` is the constant that older rows have, None for NULL."""

    column: SourceColumn
    warehouse_name: str
    place: int
    default: str | None
    added: int
    dropped: int | None = None

    def stands_at(self, version: int) -> bool:
        return self.added <= version and (self.dropped is None or version < self.dropped)


@dataclass(frozen=True)
class Moment:
    """A point in the binlog: the GTID of a statement and when it was committed, UTC. '' and None: not known."""

    gtid: str = ""
    at: datetime | None = None

    def reached_by(self, gtid: str | None, at: datetime | None) -> bool:
        """Whether an event of this GTID and commit time comes after it. What is not known counts as early."""
        if self.gtid and gtid:
            try:
                mine, other = Gtid.parse(self.gtid), Gtid.parse(gtid)
            except ValueError:
                pass  # an incremental snapshot has a set
            else:
                if (mine.uuid, mine.tag) == (other.uuid, other.tag):
                    return other.number >= mine.number
        return self.at is None or (at is not None and at >= self.at)


NO_MOMENT = Moment()


@dataclass(frozen=True)
class Version:
    """A shape and when it began."""

    number: int
    began: Moment


@dataclass(frozen=True)
class Open:
    """A change that waits for a decision. `kind` is schema or truncate."""

    change_id: int
    kind: str
    began: Moment
    what: str
    ddl: str


@dataclass(frozen=True)
class History:
    """What is known of one table. `versions` in their order."""

    table: str
    entries: tuple[Entry, ...] = ()
    versions: tuple[Version, ...] = ()
    open: tuple[Open, ...] = field(default=())

    @property
    def newest(self) -> int:
        return self.versions[-1].number if self.versions else -1

    def at(self, version: int) -> tuple[Entry, ...]:
        """The columns of a version in their order."""
        return tuple(sorted((e for e in self.entries if e.stands_at(version)), key=lambda e: e.place))

    @property
    def current(self) -> tuple[Entry, ...]:
        return self.at(self.newest)

    @cached_property
    def _signatures(self) -> dict[int, frozenset[tuple[object, ...]]]:
        return {v.number: signature(e.column for e in self.at(v.number)) for v in self.versions}

    def matching(self, wanted: frozenset[tuple[object, ...]]) -> list[Version]:
        """The versions of this shape, the newest last."""
        return [v for v in self.versions if self._signatures[v.number] == wanted]

    def defaults(self, version: int) -> dict[str, Entry | None]:
        """By warehouse column that has a constant and that `version` lacks: the entry whose constant it reads.

        None where the column was dropped before: there it is NULL.
        """
        standing = {entry.warehouse_name for entry in self.at(version)}
        found: dict[str, Entry | None] = {}
        for entry in sorted(self.entries, key=lambda e: -e.added):
            if entry.default is not None and entry.warehouse_name not in standing:
                found[entry.warehouse_name] = entry if entry.added > version else None
        return found

    def renamed(self, before: str, after: str) -> History:
        """The same with a warehouse column called otherwise."""
        return replace(
            self,
            entries=tuple(
                replace(e, warehouse_name=after) if e.warehouse_name == before else e for e in self.entries
            ),
        )  # fmt: skip
