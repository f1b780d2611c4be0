"""Changes of state: order, tracking row and a new path event in one transaction."""

from __future__ import annotations

from source.journeys import FINAL, following
from source.kinds.work import UTI, Work


def status(work: Work) -> None:
    """The next scan of an order under way."""
    for _ in range(4):
        order_id = work.keys.some(work.r, work.tx, UTI)
        if order_id is None:
            return
        had = work.status_of(order_id)
        state = had[1] if had[1] is not None else had[0]
        if state is not None and state not in FINAL:
            advance(work, order_id, had)
            return


def double_update(work: Work) -> None:
    """Two scans of one order in the same second: the later in the binlog is right."""
    order_id = work.keys.some(work.r, work.tx, UTI)
    if order_id is None:
        return
    advance(work, order_id, work.status_of(order_id))
    advance(work, order_id, work.status_of(order_id))


def reactivate(work: Work) -> None:
    """A finished order of the older half comes back: a new event now, and its state with it."""
    order_id = work.keys.some(work.r, work.tx, UTI, "old")
    if order_id is None:
        return
    advance(work, order_id, work.status_of(order_id))


def advance(work: Work, order_id: int, had: tuple[int | None, int | None]) -> None:
    """One step on, from where the order is."""
    state = had[1] if had[1] is not None else had[0]
    if state is None:
        return
    after = following(work.r, state)
    work.set_state(order_id, after, had)
    work.add_path(order_id, after, work.now)
