"""Dates that are none, and dates that must not be lost."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.connect.conftest import Captured

TABLE = """
CREATE TABLE {db}.visits (
  id INT PRIMARY KEY,
  due DATE NOT NULL, seen DATETIME NOT NULL, exact DATETIME(6) NOT NULL, stamp TIMESTAMP NOT NULL,
  begun DATETIME NOT NULL DEFAULT '0000-00-00 00:00:00', since DATETIME NOT NULL DEFAULT '2020-01-01 00:00:00',
  due_null DATE NULL, seen_null DATETIME NULL, seen_default DATETIME NULL DEFAULT '2020-01-01 00:00:00',
  stamp_null TIMESTAMP NULL DEFAULT NULL)
"""
DATES = ("due", "seen", "exact", "stamp", "begun", "since", "due_null", "seen_null", "seen_default", "stamp_null")
GIVEN = (
    "INSERT INTO {db}.visits VALUES (%d, '2024-02-03', '2024-05-06 07:08:09', '2024-05-06 07:08:09.123456',"
    " '2024-05-06 07:08:09', '1969-12-31 23:59:59', '2024-05-06 07:08:09', '2024-02-03', '2024-05-06 07:08:09',"
    " '2024-05-06 07:08:09', '2024-05-06 07:08:09')"
)
ZERO = "INSERT INTO {db}.visits VALUES (%d, " + ", ".join(["'0000-00-00'"] * 10) + ")"
AT = 1_714_979_289_000
WANTED: dict[str, Any] = {
    "due": 19756, "seen": AT, "exact": AT * 1000 + 123_456, "stamp": "2024-05-06T07:08:09Z", "begun": -1000,
    "since": AT, "due_null": 19756, "seen_null": AT, "seen_default": AT, "stamp_null": "2024-05-06T07:08:09Z",
}  # fmt: skip


@pytest.mark.parametrize("streamed", [False, True], ids=["snapshot", "binlog"])
def test_a_zero_date_is_null_and_the_dates_of_the_first_row_are_kept(captured: Captured, streamed: bool) -> None:
    """Debezium's own ZeroDateFallbackConverter loses the dates of the first row after a start: see ZeroDatesAsNull."""
    rows = [GIVEN % 1, ZERO % 2, GIVEN % 3]
    captured.execute(TABLE, *([] if streamed else rows))
    captured.start(captured.config("visits"))
    captured.execute(*(rows if streamed else []))
    found = captured.after("visits", 3)
    for number, wanted in ((1, WANTED), (2, dict.fromkeys(DATES)), (3, WANTED)):
        assert {name: found[number][name] for name in DATES} == wanted, number


def test_a_restart_loses_no_date(captured: Captured) -> None:
    captured.execute(TABLE, GIVEN % 1)
    captured.start(captured.config("visits"))
    captured.after("visits", 1)
    captured.rest.restart(captured.name)
    captured.execute(GIVEN % 2)
    found = captured.after("visits", 2)
    assert {name: found[2][name] for name in DATES} == WANTED
