"""How many bad messages are too many: so many in a row of one partition, or such a share of a table's last messages.

Beyond either bound the table stops before anything is set aside: then the writer, a schema or the decoder is wrong,
not a message.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from consumers.messages import Place
from consumers.settings import Consume


@dataclass(frozen=True, slots=True)
class Exceeded:
    """The bound that the message at `offset` breaks: `what` says it, `setting` is the one to raise."""

    offset: int
    what: str
    setting: str


@dataclass
class _Window:
    """`counted` messages of one table so far; the bad ones among the last of them, by when they were counted."""

    counted: int = 0
    bad: deque[tuple[int, Place, int]] = field(default_factory=deque)


class Bounds:
    """The share is kept in memory, over batches and partitions of a table; any thread may ask.

    A window that is not full yet counts as filled up with good messages. A bad message that is read again (after a
    stop, a revoke, a rebalance) is not counted again.
    """

    def __init__(self, in_a_row: int, percent: float, window: int) -> None:
        self._in_a_row, self._percent, self._size = in_a_row, percent, window
        self._most = window * percent / 100
        self._windows: dict[str, _Window] = {}
        self._lock = threading.Lock()

    @classmethod
    def of(cls, settings: Consume) -> Bounds:
        return cls(settings.dead_letters_in_a_row, settings.dead_letters_percent, settings.dead_letters_window)

    def judge(
        self, table: str, place: Place, offsets: Sequence[int], bad: Collection[int], before: int
    ) -> int | Exceeded:
        """`offsets` are those of the batch's messages without tombstones, `bad` the bad ones among them.

        `before` bad messages came directly before. Answers how many stand in a row at the end; when a bound is
        broken, which, and nothing of the batch is counted.
        """
        in_a_row = before
        if not bad:
            in_a_row = 0 if offsets else before
        for offset in offsets if bad else ():
            in_a_row = in_a_row + 1 if offset in bad else 0
            if in_a_row > self._in_a_row:
                what = f"{in_a_row} bad messages in a row"
                return Exceeded(offset, what, "consume.dead_letters_in_a_row")
        with self._lock:
            return self._share(self._windows.setdefault(table, _Window()), place, offsets, bad) or in_a_row

    def _share(self, window: _Window, place: Place, offsets: Sequence[int], bad: Collection[int]) -> Exceeded | None:
        if not bad:
            window.counted += len(offsets)
            return None
        known = {(where, offset) for _, where, offset in window.bad}
        found = window.bad.copy()
        for number, offset in enumerate(offsets, window.counted + 1):
            if offset not in bad or (place, offset) in known:
                continue
            found.append((number, place, offset))
            while found[0][0] <= number - self._size:
                found.popleft()
            if len(found) > self._most:
                what = f"{len(found)} bad messages among the last {self._size} of the table, over {self._percent:g} %,"
                return Exceeded(offset, what, "consume.dead_letters_percent")
        window.counted += len(offsets)
        window.bad = found
        return None
