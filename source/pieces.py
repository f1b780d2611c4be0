"""Neighbouring columns of one row, drawn together: what a sender, a parcel, a receiver, a scan looks like.

Each function returns the values of the columns its docstring names, in the table's order.
"""

from __future__ import annotations

from random import Random

from source import vocabulary as words
from source.journeys import COMING_BACK, DELIVERED

Values = tuple[object, ...]


def maybe(r: Random, value: object, null: float) -> object:
    """The value, or NULL with this probability."""
    return None if r.random() < null else value


def sender(r: Random) -> Values:
    """sender_name .. sender_postcode."""
    city = r.choice(words.CITIES)
    return (
        maybe(
            r,
            f"{r.choice(words.FAMILY)} {r.choice(('Goods', 'Outfitters', 'Books', '商行', 'Atelier'))}",
            0.05,
        ),
        maybe(r, f"{r.randrange(1, 9000)} {r.choice(words.STREETS)}, {city[0]}", 0.1),
        maybe(r, words.postcode(r, city[2]), 0.1),
    )


def parcel(r: Random) -> Values:
    """service_level .. currency."""
    weight = min(60.0, r.lognormvariate(0.1, 0.9))
    cents = int(r.lognormvariate(8, 1.2))
    return (
        r.choices(("STANDARD", "EXPRESS", "SAME-DAY", "次日達"), (70, 20, 6, 4))[0],
        maybe(r, r.choice(words.WAREHOUSES), 0.08),
        maybe(r, r.choice(("Z00", "Z01", "Z02", "Z10", "ZN", "")), 0.08),
        r.choices((0, 1, 2, 3), (80, 8, 9, 3))[0],
        r.choices((1, 2, 3, 4, 12), (88, 7, 3, 1, 1))[0],
        maybe(r, f"{weight:.3f}" if r.random() < 0.7 else f"{weight:.1f}00", 0.06),
        maybe(r, f"{weight * r.uniform(0.5, 2):.6f}", 0.3),
        f"{cents // 100}.{cents % 100:02d}",
        maybe(
            r,
            f"{r.choice((0.0, -1.5, -0.0001, 2.25, r.uniform(-40, 40))):.4f}".replace("-0.0000", "0.0000"),
            0.7,
        ),
        r.choices(("CAD", "USD", "CNY", "EUR"), (80, 14, 4, 2))[0],
    )


def receiver(r: Random) -> Values:
    """receiver_name .. remark."""
    city, province, area = r.choice(words.CITIES)
    second: object = r.choices(
        ("", f"Unit {r.randrange(1, 4000)}", f"#{r.randrange(1, 99)} 🔔", None), (50, 30, 5, 15)
    )[0]
    return (
        words.name(r),
        f"{r.randrange(1, 20_000)} {r.choice(words.STREETS)}",
        second,
        city,
        maybe(r, province, 0.04),
        r.choices(("CA", "US"), (93, 7))[0],
        maybe(r, words.postcode(r, area), 0.02),
        maybe(r, words.phone(r), 0.07),
        r.choices((0, 1, 2, None), (80, 12, 3, 5))[0],
        r.choices((None, "", r.choice(words.REMARKS)), (60, 15, 25))[0],
    )


def proof(r: Random) -> str:
    """Proof of delivery as JSON."""
    photos = ", ".join(f'"pod/{r.randrange(10**9):09d}.jpg"' for _ in range(r.choice((0, 1, 1, 2))))
    signed = r.choice(("null", '"' + words.name(r).replace('"', "") + '"'))
    return f'{{"photos": [{photos}], "signed_by": {signed}, "distance_m": {r.choice((0, 1.0, 12.5, 3.75, 1e3))}}}'


def note(r: Random) -> object:
    """A dispatcher's note, often none."""
    return r.choices((None, "", f"{r.choice(words.REMARKS)}\n-- {r.choice(words.GIVEN)}"), (75, 5, 20))[0]


def driver(r: Random) -> Values:
    """warehouse_id .. route_no."""
    route = f"R{r.randrange(1, 400):03d}-{r.choice('ABC')}"
    return (
        maybe(r, r.choice(words.WAREHOUSES), 0.08),
        maybe(r, r.randrange(2000, 2600), 0.2),
        r.choices((words.name(r), "-", None, ""), (70, 15, 10, 5))[0],
        maybe(r, route, 0.2),
    )


def scan(r: Random, state: int) -> Values:
    """code .. photo_key of a path event that enters `state`."""
    located = r.random() < 0.6
    manual = r.random() < 0.05
    return (
        state,
        maybe(r, r.choice(words.HAPPENED[state]), 0.02),
        r.choices((r.choice(words.PLACES), "", None), (90, 3, 7))[0],
        maybe(r, r.choice(words.WAREHOUSES), 0.3),
        maybe(r, r.randrange(100, 900), 0.25),
        "manual" if manual else r.choice(("scan", "scan", "app", "partner")),
        round(r.uniform(42, 60), 6) if located else None,
        round(r.uniform(-123, -60), r.choice((2, 6, 13))) if located else None,
        r.choices((f"{r.uniform(0.05, 20):.3f}", "0.000", None), (40, 50, 10))[0],
        int(state in COMING_BACK),
        f"pod/{r.randrange(10**12):012d}.jpg" if state == DELIVERED else None,
    )


def cutoff(r: Random) -> object:
    """A time of day, seldom NULL."""
    return maybe(r, f"{r.randrange(8, 20):02d}:{r.choice(('00', '15', '30'))}:00", 0.1)


def micros(r: Random) -> str:
    """The fraction of a datetime(6), with its dot."""
    return r.choice((".000000", ".500000", ".000001", ".999999", f".{r.randrange(1_000_000):06d}"))
