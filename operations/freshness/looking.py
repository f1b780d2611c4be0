"""Looking again and again: what of the markers raw and mart show, and which objects the bucket has."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from psycopg2.sql import SQL, Composable

from operations.freshness.board import Board
from operations.freshness.declared import Carried
from operations.freshness.markers import RawSight
from warehouse.session import Session
from warehouse.statements import table
from waybill.clock import Clock
from waybill.errors import UnreachableError
from waybill.objects import key_begin, least_batch_id, partition_of
from waybill.raw import MART_SCHEMA, RAW_SCHEMA, ledger_table

log = logging.getLogger(__name__)

_OVERTAKEN = 16
"""Objects of one partition are put by several threads: one may come so many names late without being looked for."""

_CLOCKS_DIFFER = timedelta(seconds=60)

# Both in one statement, so in one snapshot. A batch's id tells when it was closed, and raw has an index on it.
_LOOK = SQL(
    "SELECT r.token, r._produced_at, r._committed_at, l.object_key FROM {raw} r JOIN {ledger} l"
    " ON l.batch_id = r._batch_id WHERE r._batch_id >= %(least)s AND r.token IN %(in_raw)s"
    " UNION ALL SELECT m.token, NULL, NULL, NULL FROM {mart} m WHERE m.id IN %(ids)s AND m.token IN %(in_mart)s"
)


@dataclass
class Looks:
    """How often somebody looked: `failed` times nobody answered, and at worst so many seconds lay between answers."""

    count: int = 0
    failed: int = 0
    longest_pause: float = 0.0


class WarehouseLook:
    """Raw and mart, by one query for all markers that are awaited there."""

    def __init__(self, open_session: Callable[[], Session], carried: Carried, board: Board, clock: Clock) -> None:
        self._open, self._board, self._clock = open_session, board, clock
        self._query: Composable = _LOOK.format(
            raw=table(RAW_SCHEMA, carried.raw), ledger=table(RAW_SCHEMA, ledger_table(carried.raw)),
            mart=table(MART_SCHEMA, carried.mart),
        )  # fmt: skip
        self._session: Session | None = None

    def __call__(self) -> None:
        """Raises `UnreachableError`; the next call connects anew."""
        in_raw, in_mart = self._board.awaited()
        if not in_mart and not in_raw:
            return
        if self._session is None or self._session.closed:
            self._session = self._open()
        oldest = min(m.sent_at for m in (*in_raw, *in_mart))
        rows = self._session.rows(
            self._query,
            {
                "least": least_batch_id(oldest - _CLOCKS_DIFFER), "ids": tuple(m.id for m in in_mart) or (0,),
                "in_raw": tuple(m.token for m in in_raw) or ("",), "in_mart": tuple(m.token for m in in_mart) or ("",),
            },
            doing="looking for markers",
        )  # fmt: skip
        now = self._clock.now()
        came = [row for row in rows if row["object_key"] is not None]
        self._board.in_raw({
            row["token"]: RawSight(now, _utc(row["_produced_at"]), _utc(row["_committed_at"]), row["object_key"])
            for row in came
        })  # fmt: skip
        self._board.in_mart((row["token"] for row in rows if row["object_key"] is None), now)


class BucketLook:
    """Objects of the marker table, by listing what stands behind the last ones seen of each partition.

    `listed(begin, after)` answers the keys that begin with `begin` and sort behind `after`. The topic has `partitions`;
    if it has more, or an object came later than others behind it, raw tells of them.
    """

    def __init__(
        self, listed: Callable[[str, str], Iterable[str]], begin_of: Callable[[datetime, int], str], partitions: int,
        board: Board, clock: Clock,
    ) -> None:  # fmt: skip
        self._listed, self._begin_of = listed, begin_of
        self._board, self._clock = board, clock
        self._partitions = set(range(partitions))
        self._seen: dict[str, list[str]] = {}

    def __call__(self) -> None:
        """Raises `UnreachableError`."""
        now = self._clock.now()
        oldest = self._board.oldest_open()
        if oldest is None:
            return
        unlisted = self._board.unlisted()
        self._partitions |= {partition_of(key) for key in unlisted}
        seconds = int((now - oldest).total_seconds()) + 2
        folders = [now - timedelta(seconds=back) for back in range(seconds)]
        for partition in sorted(self._partitions):
            for begin in sorted({self._begin_of(at, partition) for at in folders}):
                seen = self._seen.setdefault(begin, [])
                # A key without its last letter sorts right before it.
                behind = seen[:1] if len(seen) == _OVERTAKEN else [""]
                after = min([*behind, *(key[:-1] for key in unlisted if key.startswith(begin))])
                keys = self._listed(begin, after)
                self._board.in_bucket(keys, self._clock.now())
                self._seen[begin] = sorted({*seen, *keys})[-_OVERTAKEN:]


def begin_of(prefix: str, raw: str, partitioning: str, topic: str) -> Callable[[datetime, int], str]:
    """What keys begin with, by time and partition."""
    return lambda at, partition: key_begin(prefix, raw, at, partitioning, topic=topic, partition=partition)


def keep_looking(look: Callable[[], None], every: float, clock: Clock, stop: threading.Event) -> Looks:
    """Call `look` until `stop` is set, `every` so many seconds from begin to begin. Who does not answer is asked again.

    Other errors are raised.
    """
    looks = Looks()
    answered = clock.monotonic()
    while not stop.is_set():
        began = clock.monotonic()
        try:
            look()
            looks.count += 1
            looks.longest_pause = max(looks.longest_pause, clock.monotonic() - answered)
            answered = clock.monotonic()
        except UnreachableError as error:
            looks.failed += 1
            if looks.failed == 1:
                log.warning("looks again: %s", error)
        stop.wait(max(0.0, every - (clock.monotonic() - began)))
    return looks


def _utc(at: datetime) -> datetime:
    return at.replace(tzinfo=UTC)
