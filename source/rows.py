"""The seeded rows: orders, tracking rows and path events, consistent with each other, the same for the same seed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from source import edges
from source.databases import ORDER_TABLES, columns
from source.journeys import COMING_BACK, CREATED, DAY, DELIVERED
from source.pools import Pools, pools
from source.tsv import NULL, ZERO_DATE, Moments, field
from source.vocabulary import PARTNER_WEIGHTS, PARTNERS

FIRST_ORDER = 100_000_001
SPAN = 425 * DAY
"""The oldest order is this many seconds (14 months) older than now."""

_POSITION = {table: {name: i for i, name in enumerate(columns(table))} for table in ORDER_TABLES}


@dataclass(frozen=True)
class Plan:
    """What to seed: number of orders, seed, and the moment (epoch seconds) all ages are counted from."""

    orders: int
    seed: int
    now: int

    def __str__(self) -> str:
        return f"orders={self.orders} seed={self.seed} now={self.now}"


@dataclass(frozen=True)
class Block:
    """Some orders' rows as TSV lines, one list a table, each in key order but for the edges' own keys."""

    order: list[str]
    tracking: list[str]
    path: list[str]


class Rows:
    """All rows of a plan, block by block. Iterating twice gives the same rows."""

    def __init__(self, plan: Plan, block: int = 5_000) -> None:
        self.plan = plan
        self.block = block
        self._moments = Moments(plan.now - SPAN - 2 * DAY, plan.now + 30 * DAY)

    def __iter__(self) -> Iterator[Block]:
        r = Random(f"waybill seed {self.plan.seed}")
        drawn = pools(r)
        edge_at = edges.places(self.plan.orders)
        gaps = [1] * 60 + [2] * 20 + [3] * 10 + [7] * 8 + [40] * 2
        order_id = FIRST_ORDER
        path_id = 1
        for start in range(0, self.plan.orders, self.block):
            block = Block([], [], [])
            for i in range(start, min(start + self.block, self.plan.orders)):
                order_id += gaps[int(r.random() * 100)]
                edge = edge_at.get(i)
                path_id = self._order(r, drawn, block, i, order_id, path_id, edge)
            yield block

    def _order(
        self,
        r: Random,
        drawn: Pools,
        block: Block,
        i: int,
        order_id: int,
        path_id: int,
        edge: edges.Edge | None,
    ) -> int:
        """Append one order's rows; returns the next free path id."""
        random = r.random
        now, moments = self.plan.now, self._moments
        days, seconds, micros = moments.days, moments.seconds, drawn.micros
        if edge and edge.order_id is not None:
            order_id = edge.order_id
        add_time = self._created(random(), i, drawn)
        tracking_no = NULL if random() < 0.01 else f"WB{order_id * 7919 % 10**11:011d}{'CA' if order_id & 1 else 'US'}"
        way = drawn.journeys[int(random() * len(drawn.journeys))]
        odd = 1.0 if edge else random()
        has_order, has_tracking = odd >= 0.004, not 0.004 <= odd < 0.008
        has_path = not 0.006 <= odd < 0.011
        if odd < 0.002:
            has_tracking = False  # path events of an order nobody else knows
        scans = drawn.scans
        lines = block.path
        seq, state, last = 0, CREATED, add_time
        delivered = reopened = 0
        for code, after in zip(way.states, way.after, strict=True):
            at = add_time + after
            if at > now:
                break
            state, last = code, at
            if code == DELIVERED:
                delivered = at
            elif delivered and code in COMING_BACK:
                reopened = at
            if not has_path:
                continue
            seq += 1
            path_time = str(at) if random() >= 0.001 else NULL
            scan = scans[code][int(random() * 300)]
            micro = micros[int(random() * 500)]
            lines.append(
                f"{path_id}\t{order_id}\t{seq}\t{tracking_no}\t{scan}\t"
                f"{days[at // DAY]}{seconds[at % DAY]}{micro}\t{NULL}\t{path_time}"
            )
            path_id += 1
        if edge and seq:
            lines[-seq] = _overwritten("uni_tracking_spath", lines[-seq], edge.path)
        if has_tracking:
            text = self._tracking(r, drawn, i, order_id, tracking_no, state, last, delivered, reopened)
            block.tracking.append(_overwritten("uni_tracking_info", text, edge.tracking) if edge else text)
        if has_order:
            text = self._ecs(r, drawn, order_id, tracking_no, state, add_time, last)
            block.order.append(_overwritten("ecs_order_info", text, edge.order) if edge else text)
        return path_id

    def _created(self, jitter: float, i: int, drawn: Pools) -> int:
        """Epoch second of creation: the newer, the denser; by day rather than by night; always before now."""
        age = SPAN * (1 - (i + 0.5) / self.plan.orders) ** 1.4
        day = int(self.plan.now - age) // DAY
        at = day * DAY + drawn.seconds_of_day[int(jitter * 4_000)]
        return at if at < self.plan.now - 300 else self.plan.now - 300 - int(jitter * 36_000)

    def _tracking(
        self, r: Random, drawn: Pools, i: int, order_id: int, tracking_no: str, state: int, last: int, delivered: int,
        reopened: int,
    ) -> str:  # fmt: skip
        random, moments = r.random, self._moments
        moment = moments.text(last)
        closed = moments.text(delivered) if delivered else NULL
        if reopened > delivered:
            closed = ZERO_DATE
        proof = drawn.proofs[int(random() * 300)] if state == DELIVERED else NULL
        weight = f"{random() * 12:.3f}" if random() < 0.7 else NULL
        synced = moment if random() < 0.8 else NULL
        update_time = str(last) if random() >= 0.001 else NULL
        return (
            f"{i + 1}\t{order_id}\t{tracking_no}\t{state}\t{drawn.drivers[int(random() * 600)]}\t{int(random() * 3)}\t"
            f"{weight}\t{drawn.postcodes[int(random() * 1000)]}\t{int(reopened > delivered)}\t"
            f"{drawn.notes[int(random() * 200)]}\t{proof}\t{closed}\t"
            f"{moment}{drawn.micros[int(random() * 500)]}\t{synced}\t{NULL}\t{update_time}"
        )

    def _ecs(
        self, r: Random, drawn: Pools, order_id: int, tracking_no: str, state: int, add_time: int, last: int
    ) -> str:
        random, moments = r.random, self._moments
        partner = r.choices(PARTNERS, cum_weights=PARTNER_WEIGHTS)[0]
        reference = f"PO-{int(random() * 1e9):09d}" if random() < 0.8 else ("" if random() < 0.5 else NULL)
        barcode = str(r.getrandbits(64)) if random() < 0.6 else NULL
        pickup = ZERO_DATE if state == CREATED else moments.text(add_time + 3_600)
        promised = moments.date(add_time + 4 * DAY) if random() < 0.9 else NULL
        created = str(add_time) if random() >= 0.0005 else NULL
        return (
            f"{order_id}\tSN{order_id:012d}\t{partner}\t{reference}\t{tracking_no}\t{state}\t"
            f"{drawn.parcels[int(random() * 3000)]}\t{barcode}\t{drawn.senders[partner]}\t"
            f"{drawn.receivers[int(random() * 5000)]}\t{drawn.attributes[int(random() * 1500)]}\t{pickup}\t{promised}\t"
            f"{drawn.cutoffs[int(random() * 100)]}\t{NULL}\t{moments.text(last)}\t{created}"
        )


def _overwritten(table: str, text: str, values: edges.Values) -> str:
    """A line with some columns replaced."""
    if not values:
        return text
    fields = text.split("\t")
    for name, value in values.items():
        fields[_POSITION[table][name]] = field(value)
    return "\t".join(fields)
