"""What the generator may do in one transaction: kinds, each with its weight in the default mix."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from source.kinds import bulk, corrections, keychanges, new, removals, states
from source.kinds.work import Work

Kind = Callable[[Work], None]

KINDS: Mapping[str, tuple[float, Kind]] = {
    "new_order": (20, new.new_order),
    "order_first": (2, new.order_first),
    "status": (34, states.status),
    "double_update": (6, states.double_update),
    "reactivate": (3, states.reactivate),
    "correction": (8, corrections.correction),
    "late_event": (2, corrections.late_event),
    "nulls": (3, corrections.nulls),
    "oddity": (1, corrections.oddity),
    "one_table": (8, corrections.one_table),
    "delete_path": (3, removals.delete_path),
    "delete_order": (2, removals.delete_order),
    "replace": (1, removals.replace),
    "change_order_id": (1.5, keychanges.change_order_id),
    "change_trace_seq": (1.5, keychanges.change_trace_seq),
    "multi_row": (2, bulk.multi_row),
    "bulk": (0.1, bulk.bulk),
    "savepoint": (1, bulk.savepoint),
}
"""Kind -> (weight, what it does). A kind that finds nothing to do leaves the transaction empty."""

ROLLBACK = "rollback"
ROLLBACK_WEIGHT = 1.7
"""Another kind, drawn by the mix, done and then rolled back."""


def default_mix() -> dict[str, float]:
    """All kinds, with `rollback`."""
    return {**{name: weight for name, (weight, _) in KINDS.items()}, ROLLBACK: ROLLBACK_WEIGHT}
