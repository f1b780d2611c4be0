"""The ways a parcel takes: states, how they follow each other, and how long each step lasts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

CREATED, TRANSIT, GATEWAY, SORTED, LOADED, OUT, DELIVERED = 190, 195, 199, 200, 201, 202, 203
FAILED, ADDRESS, DEPOT, DAMAGED, RETURNED = 211, 215, 220, 231, 232

DAY = 86_400

NEXT: Mapping[int, tuple[tuple[int, int], ...]] = {
    CREATED: ((TRANSIT, 90), (CREATED, 6), (GATEWAY, 4)),
    TRANSIT: ((GATEWAY, 55), (TRANSIT, 45)),
    GATEWAY: ((SORTED, 70), (TRANSIT, 22), (GATEWAY, 7), (DAMAGED, 1)),
    SORTED: ((LOADED, 70), (SORTED, 24), (TRANSIT, 6)),
    LOADED: ((OUT, 96), (SORTED, 4)),
    OUT: ((DELIVERED, 74), (FAILED, 20), (ADDRESS, 4), (OUT, 2)),
    FAILED: ((LOADED, 62), (DEPOT, 24), (OUT, 14)),
    ADDRESS: ((LOADED, 55), (SORTED, 25), (RETURNED, 20)),
    DEPOT: ((DELIVERED, 75), (RETURNED, 20), (DEPOT, 5)),
    DAMAGED: ((SORTED, 50), (RETURNED, 50)),
    DELIVERED: (),
    RETURNED: (),
}
"""State -> (state that may follow, weight)."""

FINAL = (DELIVERED, RETURNED)
COMING_BACK = (RETURNED, FAILED, DEPOT, ADDRESS)
"""States of an order that was finished and comes back."""

WEIGHED = {state: (tuple(s for s, _ in after), tuple(w for _, w in after)) for state, after in NEXT.items()}


def following(r: Random, state: int) -> int:
    """The state after `state`; a finished order comes back."""
    states, weights = WEIGHED.get(state, ((), ()))
    return r.choices(states, weights)[0] if states else r.choice(COMING_BACK)


@dataclass(frozen=True)
class Journey:
    """States in order, and for each the seconds after creation; both of the same length."""

    states: tuple[int, ...]
    after: tuple[int, ...]


def journey(r: Random) -> Journey:
    """One whole way: about ten events, at least one and at most 60, times never going back.

    Two in a hundred come back three to eight months after they were finished.
    """
    states = [CREATED]
    times = [r.randrange(0, 120)]
    while states[-1] not in FINAL and len(states) < 45:
        states.append(following(r, states[-1]))
        times.append(times[-1] + _pause(r))
    if r.random() < 0.02:
        times.append(times[-1] + r.randrange(90 * DAY, 240 * DAY))
        states.append(FAILED)
        while states[-1] not in FINAL and len(states) < 60:
            states.append(following(r, states[-1]))
            times.append(times[-1] + _pause(r))
    return Journey(tuple(states), tuple(times))


def _pause(r: Random) -> int:
    """Seconds between two scans: mostly hours, sometimes the same second, sometimes days."""
    kind = r.random()
    if kind < 0.03:
        return 0
    if kind < 0.85:
        return int(r.expovariate(1 / 14_000)) + 20
    return int(r.expovariate(1 / 110_000)) + 3_600
