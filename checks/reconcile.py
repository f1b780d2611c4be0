"""The proof: every mart equals its MySQL table at the cut's GTID set, and where it does not, what differs."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from checks import binlog, catalogue, compare, position
from checks.catalogue import Shape, Subject
from checks.compare import Difference
from checks.mysql import MysqlSession
from checks.queries import Queries
from warehouse.session import Session
from waybill.addresses import Mysql, Warehouse
from waybill.clock import Clock
from waybill.gtid import GtidSet

_STATEMENT_SECONDS = 4 * 3600
_ROWS_A_BUCKET = 1000
_MOST_BUCKETS = 65_536

Say = Callable[[str], None]


@dataclass(frozen=True)
class TableResult:
    """One table compared.

    `shown` are the first differences, `by_kind` counts all of them. `respelled` counts rows that the databases
    write differently and whose values are equal. Checksums are of texts, each computed by its own database, so with
    such rows they differ though all is equal. `absent` are columns of MySQL that the mart lacks: a finding too.
    `out` says that the cycle went on without this table.
    """

    source: str
    mart: str
    mysql_rows: int
    mart_rows: int
    mysql_checksum: str
    mart_checksum: str
    columns: int
    buckets: int
    unlike_buckets: int
    by_kind: dict[str, int]
    shown: tuple[Difference, ...]
    respelled: int
    absent: tuple[str, ...]
    out: bool
    seconds: float

    @property
    def equal(self) -> bool:
        return not (self.by_kind or self.absent or self.out or self.mysql_rows != self.mart_rows)


@dataclass(frozen=True)
class Proof:
    """All tables compared at one position."""

    cut: position.Cut
    mysql: GtidSet
    where: str
    note: str
    tables: tuple[TableResult, ...] = field(default=())

    @property
    def equal(self) -> bool:
        return all(t.equal for t in self.tables)

    @property
    def differences(self) -> int:
        return sum(sum(t.by_kind.values()) + len(t.absent) + t.out for t in self.tables)


@dataclass(frozen=True)
class Options:
    """`buckets` 0: about a thousand rows each. `limit`: differences kept a table, all are counted."""

    buckets: int = 0
    limit: int = 20
    wait_seconds: float = 8


def prove(
    mysql_address: Mysql, warehouse: Warehouse, subjects: Sequence[Subject], options: Options, clock: Clock, say: Say
) -> Proof:
    """Compare every subject in one snapshot of each database.

    Changes nothing in either. Raises `RefusedError` when MySQL is not at the cut, and `SettingsError` for a
    table that is not there.
    """
    with (
        MysqlSession(mysql_address) as mysql,
        Session(warehouse, "reconcile", statement_seconds=_STATEMENT_SECONDS) as session,
        session.transaction(),
    ):
        cut = position.read_cut(session)
        held = mysql.snapshot(clock)
        note = _accept(mysql_address, warehouse, subjects, cut, held, mysql.where, options, clock)
        results = []
        for subject in subjects:
            say(f"comparing {subject.source} with {subject.schema}.{subject.mart}")
            shape = catalogue.read(mysql, session, subject)
            results.append(_compare(mysql, session, shape, cut, options, say))
        return Proof(cut, held, mysql.where, note, tuple(results))


def _accept(
    mysql_address: Mysql, warehouse: Warehouse, subjects: Sequence[Subject], cut: position.Cut, held: GtidSet,
    where: str, options: Options, clock: Clock,
) -> str:  # fmt: skip
    """On connections of their own: both snapshots stay as they are."""
    names = [s.source for s in subjects]
    with Session(warehouse, "reconcile position") as session, MysqlSession(mysql_address) as mysql:
        ends = position.ends(session, names)
        return position.accept(
            cut, held, where, ends, lambda gtids: binlog.touched(mysql, gtids, names), options.wait_seconds, clock
        )


def _compare(
    mysql: MysqlSession, session: Session, shape: Shape, cut: position.Cut, options: Options, say: Say
) -> TableResult:
    started = time.monotonic()
    buckets = options.buckets or min(max(shape.estimate // _ROWS_A_BUCKET, 64), _MOST_BUCKETS)
    queries = Queries(shape, buckets)
    theirs, ours = compare.digest(mysql, session, queries)
    unlike = theirs.unlike(ours)
    by_kind: dict[str, int] = {}
    shown: list[Difference] = []
    spelling = compare.Spelling()
    if unlike:
        say(f"{len(unlike)} groups of about {theirs.rows // buckets + 1} rows differ, reading them")
        for difference in compare.differences(mysql, session, shape, queries, unlike, spelling):
            by_kind[difference.kind] = by_kind.get(difference.kind, 0) + 1
            if len(shown) < options.limit:
                shown.append(difference)
    return TableResult(
        source=shape.subject.source,
        mart=f"{shape.subject.schema}.{shape.subject.mart}",
        mysql_rows=theirs.rows,
        mart_rows=ours.rows,
        mysql_checksum=theirs.checksum,
        mart_checksum=ours.checksum,
        columns=len(shape.columns),
        buckets=buckets,
        unlike_buckets=len(unlike),
        by_kind=by_kind,
        shown=tuple(shown),
        respelled=spelling.rows,
        absent=shape.absent,
        out=shape.subject.source in cut.tables_out,
        seconds=time.monotonic() - started,
    )
