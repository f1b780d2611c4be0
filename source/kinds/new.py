"""New orders."""

from __future__ import annotations

from typing import Any

from source import pieces
from source import vocabulary as words
from source.databases import columns
from source.journeys import CREATED, DAY
from source.kinds.work import ECS, PARTS, PATH, UTI, Work, moment, tracking_number


def _between(table: str, first: str, last: str) -> tuple[str, ...]:
    names = columns(table)
    return names[names.index(first) : names.index(last) + 1]


_PARCEL = _between(ECS, "service_level", "currency")
_SENDER = _between(ECS, "sender_name", "sender_postcode")
_RECEIVER = _between(ECS, "receiver_name", "remark")
_DRIVER = _between(UTI, "warehouse_id", "route_no")


def order_row(work: Work, order_id: int, add_time: int, state: int = CREATED) -> dict[str, Any]:
    """A whole row of ecs_order_info."""
    r = work.r
    return {
        "order_id": order_id,
        "order_sn": f"SN{order_id:012d}",
        "partner_id": r.choices(words.PARTNERS, cum_weights=words.PARTNER_WEIGHTS)[0],
        "partner_ref": r.choice((None, "", f"PO-{r.randrange(10**9):09d}", f"PO-{r.randrange(10**9):09d}")),
        "tracking_no": tracking_number(order_id),
        "order_status": state,
        **dict(zip(_PARCEL, pieces.parcel(r), strict=True)),
        "barcode": pieces.maybe(r, r.getrandbits(64), 0.4),
        **dict(zip(_SENDER, pieces.sender(r), strict=True)),
        **dict(zip(_RECEIVER, pieces.receiver(r), strict=True)),
        "attributes": pieces.maybe(r, words.attributes(r), 0.15),
        "pickup_at": "0000-00-00 00:00:00" if state == CREATED else moment(add_time),
        "promised_date": pieces.maybe(r, moment(add_time + 4 * DAY)[:10], 0.1),
        "cutoff_time": pieces.cutoff(r),
        "add_time": add_time,
    }


def tracking_row(work: Work, order_id: int, state: int) -> dict[str, Any]:
    """A whole row of uni_tracking_info but for `id`, which MySQL gives."""
    r = work.r
    return {
        "order_id": order_id,
        "tracking_no": tracking_number(order_id),
        "state": state,
        **dict(zip(_DRIVER, pieces.driver(r), strict=True)),
        "scan_weight": pieces.maybe(r, f"{r.uniform(0.1, 20):.3f}", 0.4),
        "postcode": pieces.maybe(r, words.postcode(r, r.choice(words.CITIES)[2]), 0.05),
        "note": pieces.note(r),
        "last_scan_at": moment(work.now) + pieces.micros(r),
        "update_time": work.now,
    }


def new_order(work: Work) -> None:
    """An order, its tracking row and its first path event together."""
    order_id = work.keys.new()
    whole(work, order_id)


def whole(work: Work, order_id: int) -> None:
    """All three rows of a new order with this id."""
    work.tx.insert(ECS, PARTS[ECS], [order_row(work, order_id, work.now)])
    work.tx.insert(UTI, PARTS[UTI], [tracking_row(work, order_id, CREATED)])
    work.tx.insert(PATH, PARTS[PATH], [work.path_row(order_id, 1, CREATED, work.now)])


def order_first(work: Work) -> None:
    """The order alone, a moment before its tracking row; or the tracking row of one that waits."""
    waiting = work.keys.waiting
    if waiting and work.r.random() < 0.6:
        order_id = waiting.popleft()
        status, state = work.status_of(order_id)
        if status is not None and state is None:
            work.tx.insert(UTI, PARTS[UTI], [tracking_row(work, order_id, status)])
            work.add_path(order_id, status, work.now)
        return
    order_id = work.keys.new()
    work.tx.insert(ECS, PARTS[ECS], [order_row(work, order_id, work.now)])
    waiting.append(order_id)
