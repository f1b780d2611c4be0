"""Changed primary keys: a delete and an insert for everybody downstream."""

from __future__ import annotations

from source.kinds.new import whole
from source.kinds.work import ECS, PATH, UTI, Work


def change_order_id(work: Work) -> None:
    """An order gets a new number in all three tables; now and then its old number is given to a new order at once."""
    old = work.keys.some(work.r, work.tx, ECS)
    if old is None:
        return
    work.status_of(old)
    new = work.keys.new()
    for (trace,) in work.tx.rows(f"SELECT traceSeq FROM {PATH} WHERE order_id = %s ORDER BY traceSeq", old):
        work.tx.update(PATH, {"order_id": old, "traceSeq": trace}, {"order_id": new})
    work.tx.update(UTI, {"order_id": old}, {"order_id": new})
    work.tx.update(ECS, {"order_id": old}, {"order_id": new})
    if work.r.random() < 0.2:
        whole(work, old)


def change_trace_seq(work: Work) -> None:
    """A path event moves to another place in its order; sometimes two change places."""
    order_id = work.keys.some(work.r, work.tx, PATH)
    if order_id is None:
        return
    found = work.tx.rows(f"SELECT traceSeq FROM {PATH} WHERE order_id = %s ORDER BY traceSeq", order_id)
    traces = [int(row[0]) for row in found]
    if not traces:
        return
    free = max(traces) + work.r.randrange(1, 4)
    if len(traces) > 1 and work.r.random() < 0.3:
        one, two = work.r.sample(traces, 2)
        for before, after in ((one, free), (two, one), (free, two)):
            work.tx.update(PATH, {"order_id": order_id, "traceSeq": before}, {"traceSeq": after})
        return
    work.tx.update(PATH, {"order_id": order_id, "traceSeq": work.r.choice(traces)}, {"traceSeq": free})
