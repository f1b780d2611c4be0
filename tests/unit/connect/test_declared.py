"""Which tables a running connector begins or ceases to capture."""

from __future__ import annotations

import pytest

from connect.config import connector_config
from connect.declared import difference
from waybill.errors import RefusedError


def config(*tables: str) -> dict[str, str]:
    return connector_config(
        name="c", prefix="p", tables=tables, heartbeat="waybill.heartbeat", signal="waybill.signal", server_id=1,
        partitions=1,
    )  # fmt: skip


def test_a_table_that_is_declared_later_is_added_and_one_that_is_taken_out_is_gone() -> None:
    found = difference(config("shop.a", "shop.old-one"), config("shop.a", "shop.b $1"))
    assert (found.added, found.gone) == (("shop.b $1",), ("shop.old-one",))


def test_a_new_connector_adds_nothing_because_its_first_snapshot_reads_all() -> None:
    assert difference(None, config("shop.a")).added == ()


def test_a_table_of_a_database_that_was_never_followed_is_refused() -> None:
    with pytest.raises(RefusedError, match=r"other\.a"):
        difference(config("shop.a"), config("shop.a", "other.a"))
