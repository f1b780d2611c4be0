"""Transactions of many rows, and one that takes half of itself back."""

from __future__ import annotations

from source.journeys import GATEWAY
from source.kinds.states import advance
from source.kinds.work import ECS, PARTS, PATH, UTI, Work

BULK_ORDERS = 170
"""Three rows each: about 500 row changes."""


def multi_row(work: Work) -> None:
    """One UPDATE over neighbouring orders: a new warehouse, or another driver."""
    r = work.r
    table, names = r.choice(((ECS, ("warehouse_id", "zone")), (UTI, ("driver_id", "route_no"))))
    ids = work.keys.several(r, work.tx, table, r.randrange(3, 25))
    if not ids:
        return
    number = r.randrange(1, 99)
    values = (number, f"Z{number:02d}") if table == ECS else (2000 + number, f"R{number:03d}-D")
    changes = dict(zip(names, values, strict=True))
    holes = ", ".join(["%s"] * len(ids[:-1]))
    if len(ids) > 1:
        work.tx.update_where(table, changes, f"order_id IN ({holes})", *ids[:-1])
    work.tx.update(table, {"order_id": ids[-1]}, changes)


def bulk(work: Work) -> None:
    """A container arrives: many orders change state and get a path event, all in one transaction."""
    r = work.r
    ids = work.keys.several(r, work.tx, UTI, BULK_ORDERS)
    if not ids:
        return
    holes = ", ".join(["%s"] * len(ids))
    work.tx.rows(f"SELECT order_id FROM {ECS} WHERE order_id IN ({holes}) ORDER BY order_id FOR UPDATE", *ids)
    work.tx.rows(f"SELECT order_id FROM {UTI} WHERE order_id IN ({holes}) ORDER BY order_id FOR UPDATE", *ids)
    found = work.tx.rows(
        f"SELECT order_id, MAX(traceSeq) FROM {PATH} WHERE order_id IN ({holes}) GROUP BY order_id", *ids
    )
    greatest = {int(row[0]): int(row[1]) for row in found}
    work.tx.update_where(ECS, {"order_status": GATEWAY}, f"order_id IN ({holes})", *ids)
    work.tx.update_where(UTI, {"state": GATEWAY, "update_time": work.now}, f"order_id IN ({holes})", *ids)
    rows = [work.path_row(order_id, greatest.get(order_id, 0) + 1, GATEWAY, work.now) for order_id in ids]
    work.tx.insert(PATH, PARTS[PATH], rows)


def savepoint(work: Work) -> None:
    """A change of state; then another order's, taken back to a savepoint; the first is committed."""
    first = work.keys.some(work.r, work.tx, UTI)
    second = work.keys.some(work.r, work.tx, UTI, "any")
    if first is None or second is None:
        return
    advance(work, first, work.status_of(first))
    point = work.tx.savepoint()
    advance(work, second, work.status_of(second))
    work.tx.back_to(point)
