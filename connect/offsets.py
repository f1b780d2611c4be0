"""Where the connector stands in the binlog, as Kafka Connect has stored it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from connect.rest import ConnectRest
from waybill.clock import Clock


def stored_gtid_set(connect_url: str, connector: str, clock: Clock | None = None) -> str | None:
    """The GTID set of the stored offset: transactions whose events are all in Kafka for certain.

    The transaction that was being read when it was stored is not in it, though some or all of its events may be
    in Kafka. None when nothing is stored (no connector, or its first snapshot has not begun), '' when MySQL had no
    GTID yet. Raises UnreachableError when Connect does not answer.
    """
    with ConnectRest(connect_url, clock) as rest:
        return gtid_set_of(rest.offsets(connector))


def gtid_set_of(offsets: Sequence[Mapping[str, Any]]) -> str | None:
    """The GTID set in Connect's answer to GET /connectors/X/offsets; None when it holds no offset."""
    for entry in offsets:
        offset = entry.get("offset")
        if offset is not None:
            return "".join(str(offset.get("gtids") or "").split())
    return None
