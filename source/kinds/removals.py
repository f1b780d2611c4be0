"""Deletes: path events, whole orders, and a row deleted and inserted again in one transaction."""

from __future__ import annotations

from source.kinds.new import order_row, whole
from source.kinds.work import ECS, PARTS, PATH, UTI, Work


def delete_path(work: Work) -> None:
    """One to three path events of an order, from any place."""
    order_id = work.keys.some(work.r, work.tx, PATH, work.r.choice(("recent", "old")))
    if order_id is None:
        return
    traces = [int(row[0]) for row in work.tx.rows(f"SELECT traceSeq FROM {PATH} WHERE order_id = %s", order_id)]
    for trace in work.r.sample(sorted(traces), min(len(traces), work.r.choice((1, 1, 2, 3)))):
        work.tx.delete(PATH, {"order_id": order_id, "traceSeq": trace})


def delete_order(work: Work) -> None:
    """An order from all three tables."""
    order_id = work.keys.some(work.r, work.tx, ECS, work.r.choice(("recent", "any", "old")))
    if order_id is None:
        return
    work.status_of(order_id)
    remove(work, order_id)


def remove(work: Work, order_id: int) -> None:
    """Delete all rows of an order."""
    for table in (PATH, UTI, ECS):
        work.tx.delete(table, {"order_id": order_id})


def replace(work: Work) -> None:
    """Delete and insert the same key in one transaction: the order's row, or the whole order anew."""
    order_id = work.keys.some(work.r, work.tx, ECS)
    if order_id is None:
        return
    found = work.tx.first(f"SELECT order_status, add_time FROM {ECS} WHERE order_id = %s FOR UPDATE", order_id)
    if found is None:
        return
    if work.r.random() < 0.5:
        remove(work, order_id)
        whole(work, order_id)
        return
    work.tx.delete(ECS, {"order_id": order_id})
    row = order_row(work, order_id, work.now, int(found[0]))
    row["add_time"] = found[1]
    work.tx.insert(ECS, PARTS[ECS], [row])
