"""What a kind works with, and the two things most kinds do: append a path event, set an order's state."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from source import pieces
from source.databases import columns
from source.keys import Keys
from source.transaction import Transaction

ECS, UTI, PATH = "ecs_order_info", "uni_tracking_info", "uni_tracking_spath"
PARTS = {ECS: ("order_id",), UTI: ("order_id",), PATH: ("order_id", "traceSeq")}

_SCAN = columns(PATH)[columns(PATH).index("code") : columns(PATH).index("photo_key") + 1]


@dataclass(frozen=True)
class Work:
    """One transaction in the making. `now` is epoch seconds by the generator's clock."""

    r: Random
    tx: Transaction
    keys: Keys
    now: int

    def status_of(self, order_id: int) -> tuple[int | None, int | None]:
        """(ecs.order_status, uti.state), both rows locked; None where there is no row."""
        ecs = self.tx.first(f"SELECT order_status FROM {ECS} WHERE order_id = %s FOR UPDATE", order_id)
        uti = self.tx.first(f"SELECT state FROM {UTI} WHERE order_id = %s FOR UPDATE", order_id)
        return (int(ecs[0]) if ecs else None, int(uti[0]) if uti else None)

    def next_trace(self, order_id: int) -> int:
        """One more than the order's greatest traceSeq."""
        found = self.tx.first(f"SELECT MAX(traceSeq) FROM {PATH} WHERE order_id = %s", order_id)
        return int(found[0] or 0) + 1 if found else 1

    def path_row(self, order_id: int, trace: int, state: int, at: int | None) -> dict[str, Any]:
        """A path event that enters `state` at epoch second `at`."""
        return {
            "order_id": order_id,
            "traceSeq": trace,
            "tracking_no": tracking_number(order_id),
            **dict(zip(_SCAN, pieces.scan(self.r, state), strict=True)),
            "scanned_at": None if at is None else moment(at) + pieces.micros(self.r),
            "pathTime": at,
        }

    def add_path(self, order_id: int, state: int, at: int | None) -> None:
        """Append one path event."""
        row = self.path_row(order_id, self.next_trace(order_id), state, at)
        self.tx.insert(PATH, PARTS[PATH], [row])

    def set_state(self, order_id: int, state: int, had: tuple[int | None, int | None]) -> None:
        """Write `state` wherever the order has a row; the two never differ at a commit."""
        if had[0] is not None:
            changes: dict[str, object] = {"order_status": state}
            if had[0] == 190 and state != 190:
                changes["pickup_at"] = moment(self.now)
            self.tx.update(ECS, {"order_id": order_id}, changes)
        if had[1] is not None:
            self.tx.update(UTI, {"order_id": order_id}, self._tracking_changes(state))

    def _tracking_changes(self, state: int) -> dict[str, object]:
        changes: dict[str, object] = {
            "state": state,
            "update_time": self.now,
            "last_scan_at": moment(self.now) + pieces.micros(self.r),
        }
        if state == 203:
            changes |= {"delivered_at": moment(self.now), "proof": pieces.proof(self.r)}
        elif state in (201, 202):
            names = ("warehouse_id", "driver_id", "driver_name", "route_no")
            changes |= dict(zip(names, pieces.driver(self.r), strict=True))
        elif state == 211:
            changes["attempts"] = self.r.randrange(1, 4)
        elif state == 232:
            changes |= {"is_returned": 1, "delivered_at": "0000-00-00 00:00:00"}
        return changes


def tracking_number(order_id: int) -> str:
    """The number on the label."""
    return f"WB{order_id * 7919 % 10**11:011d}{'CA' if order_id & 1 else 'US'}"


def moment(at: int) -> str:
    """Epoch seconds as a datetime's text, UTC."""
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=at)).strftime("%Y-%m-%d %H:%M:%S")
