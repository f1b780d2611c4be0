"""What `waybill status` reads of a table: that it runs, or why it is stopped, as its consumer last recorded it."""

from __future__ import annotations

import logging

from consumers.carried import Carried
from consumers.ports import Done, Lane, Warehouse
from consumers.under_way import UnderWay
from waybill.errors import WaybillError

log = logging.getLogger(__name__)

_AGAIN_SECONDS = 5.0


class Telling:
    """Each state is recorded once; an outage only delays it."""

    def __init__(self, warehouse: Warehouse, owner: str, under_way: UnderWay) -> None:
        self._warehouse, self._owner, self._under_way = warehouse, owner, under_way

    def turn(self, carried: Carried, now: float) -> None:
        if carried.is_told or carried.asking or now < carried.tell_at:
            return
        carried.asking, carried.tell_at = "state", now + _AGAIN_SECONDS
        name, state, stopped = carried.stream.name, carried.state, carried.stopped

        def told(done: Done) -> None:
            carried.asking = ""
            if done.error is None:
                carried.told, carried.tell_at = state, 0.0
            elif isinstance(done.error, WaybillError):
                log.debug("the state of %s is recorded later: %s", name, done.error)
            else:
                raise done.error

        self._under_way.submit(
            Lane.WAREHOUSE, f"state {name}", lambda: self._warehouse.state(name, stopped, self._owner), told
        )
