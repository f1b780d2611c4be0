"""Changes that move no state: late corrections, late events, NULLs, oddities, one table alone."""

from __future__ import annotations

from source import pieces
from source import vocabulary as words
from source.edges import EDGES
from source.journeys import DAY
from source.kinds.work import ECS, PATH, UTI, Work, moment

# Of a column of MySQL's type INT: an oddity may stand there already.
_LEAST_INT = -(2**31)


def correction(work: Work) -> None:
    """An old path event gets another time, mostly an older one, or another text; seldom no time or a future one."""
    r = work.r
    order_id = work.keys.some(r, work.tx, PATH, r.choice(("recent", "old", "any")))
    event = _event(work, order_id)
    if order_id is None or event is None:
        return
    trace, at = event
    changes: dict[str, object] = {}
    what = r.random()
    if what < 0.35:
        changes["pathInfo"] = pieces.maybe(r, r.choice(words.REMARKS) + f" ({r.randrange(1000)})", 0.1)
    elif what < 0.9:
        shift = r.choice((-3600, -DAY, -7 * DAY, -40 * DAY, -200 * DAY, 600, 3600))
        changes["pathTime"] = max(_LEAST_INT, min(work.now, (at or work.now) + shift - r.randrange(60)))
    else:
        changes["pathTime"] = r.choice((None, work.now + r.randrange(2 * 3600, 30 * DAY), -r.randrange(1, 10**6), 0))
    if "pathTime" in changes and r.random() < 0.5:
        changes["pathAddr"] = r.choice(words.PLACES)
    work.tx.update(PATH, {"order_id": order_id, "traceSeq": trace}, changes)


def late_event(work: Work) -> None:
    """A scanner that was offline sends an event of days ago; the state stays."""
    order_id = work.keys.some(work.r, work.tx, PATH, work.r.choice(("recent", "any")))
    event = _event(work, order_id)
    if order_id is None or event is None:
        return
    at = max(_LEAST_INT, min(work.now, event[1] or work.now) - work.r.randrange(60, 9 * DAY))
    work.add_path(order_id, work.r.choice((195, 199, 200)), at)


def nulls(work: Work) -> None:
    """NULL in columns that have a DEFAULT."""
    r = work.r
    order_id = work.keys.some(r, work.tx, ECS, "any")
    if order_id is None:
        return
    key = {"order_id": order_id}
    names = r.sample(("warehouse_id", "zone", "weight", "receiver_address2", "need_signature", "cutoff_time"), 3)
    work.tx.update(ECS, key, dict.fromkeys(sorted(names)))
    if r.random() < 0.5:
        work.tx.update(UTI, key, {"driver_name": None, "warehouse_id": None})
    event = _event(work, order_id)
    if event and r.random() < 0.5:
        work.tx.update(PATH, {**key, "traceSeq": event[0]}, {"pathAddr": None, "weight": None, "warehouse_id": None})


def oddity(work: Work) -> None:
    """One of the seed's rows that break pipelines, written over an existing order. add_time never changes."""
    edge = work.r.choice(EDGES)
    order_id = work.keys.some(work.r, work.tx, ECS, "any")
    if order_id is None:
        return
    key = {"order_id": order_id}
    order = {name: value for name, value in edge.order.items() if name not in ("add_time", "last_request")}
    tracking = {name: value for name, value in edge.tracking.items() if name != "last_request"}
    if order:
        work.tx.update(ECS, key, order)
    if tracking:
        work.tx.update(UTI, key, tracking)
    event = _event(work, order_id)
    if edge.path and event:
        work.tx.update(PATH, {**key, "traceSeq": event[0]}, dict(edge.path))


def one_table(work: Work) -> None:
    """A change of one table only: an address, a weight, a driver, a scanner's clock."""
    r = work.r
    table = r.choice((ECS, ECS, UTI, PATH))
    order_id = work.keys.some(r, work.tx, table)
    if order_id is None:
        return
    key = {"order_id": order_id}
    if table == ECS:
        choices: tuple[dict[str, object], ...] = (
            {"receiver_address": f"{r.randrange(1, 20_000)} {r.choice(words.STREETS)}",
             "receiver_phone": words.phone(r)},
            {"weight": f"{r.uniform(0.05, 30):.3f}", "adjustment": f"{r.uniform(-9, 9):.4f}"},
            {"attributes": words.attributes(r), "remark": r.choice(("", None, r.choice(words.REMARKS)))},
            {"barcode": r.getrandbits(64), "partner_ref": f"PO-{r.randrange(10**9):09d}"},
        )  # fmt: skip
        work.tx.update(ECS, key, r.choice(choices))
    elif table == UTI:
        work.tx.update(UTI, key, {"synced_at": moment(work.now), "note": pieces.note(r)})
    elif event := _event(work, order_id):
        at = moment(work.now - r.randrange(3600)) + pieces.micros(r)
        work.tx.update(PATH, {**key, "traceSeq": event[0]}, {"scanned_at": at, "lat": r.uniform(42, 60)})


def _event(work: Work, order_id: int | None) -> tuple[int, int | None] | None:
    """(traceSeq, pathTime) of one of the order's path events."""
    if order_id is None:
        return None
    found = work.tx.rows(
        f"SELECT traceSeq, pathTime FROM {PATH} WHERE order_id = %s ORDER BY traceSeq LIMIT 60", order_id
    )
    if not found:
        return None
    trace, at = work.r.choice(found)
    return int(trace), None if at is None else int(at)
