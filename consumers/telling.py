"""What `waybill status` reads of a table: that it runs, or why it is stopped, as its consumer last recorded it."""

from __future__ import annotations

import logging

from consumers.assignment import Assignment
from consumers.carried import Carried
from consumers.ports import Done, Lane, Warehouse
from consumers.under_way import UnderWay
from waybill.errors import WaybillError

log = logging.getLogger(__name__)

_AGAIN_SECONDS = 5.0


class Telling:
    """Each state is recorded once; an outage only delays it.

    It is recorded only while the partitions it was found with are still this consumer's: a write that is late does not
    overwrite what their next owner says.
    """

    def __init__(self, warehouse: Warehouse, assignment: Assignment, owner: str, under_way: UnderWay) -> None:
        self._warehouse, self._assignment = warehouse, assignment
        self._owner, self._under_way = owner, under_way

    def turn(self, carried: Carried, now: float) -> None:
        if carried.is_told or carried.asking or now < carried.tell_at:
            return
        carried.asking, carried.tell_at = "state", now + _AGAIN_SECONDS
        stream, state, stopped = carried.stream, carried.state, carried.stopped
        held = self._assignment.epochs(p.place for p in carried.partitions.values() if p.lost is None)

        def told(done: Done) -> None:
            carried.asking = ""
            if done.error is None and done.result:
                carried.told, carried.tell_at = state, 0.0
            elif done.error is None:
                log.debug(
                    "%s: another has claimed a partition since; what this one would say is not recorded", stream.name
                )
            elif isinstance(done.error, WaybillError):
                log.debug("the state of %s is recorded later: %s", stream.name, done.error)
            else:
                raise done.error

        self._under_way.submit(
            Lane.WAREHOUSE,
            f"state {stream.name}",
            lambda: self._warehouse.state(stream.name, stream.raw, stopped, self._owner, held),
            told,
        )
