"""A cycle's counts by mart, as a person sees them."""

from __future__ import annotations

from dataclasses import asdict

import pytest

from cli.mart_counts import columns, print_counts, short
from committer.summary import MartCounts

PLAIN = [asdict(MartCounts("mart_uni_tracking_spath", rows_in=3_000_000, keys=2, applied=2, archived=1)) for _ in "ab"]


def test_what_happened_to_no_mart_has_no_column() -> None:
    assert columns(PLAIN) == ["rows_in", "keys", "applied", "archived"]
    assert columns([*PLAIN, asdict(MartCounts("m", gaps=1))])[-1] == "gaps"
    assert columns([]) == ["rows_in", "keys", "applied"]


def test_a_count_that_this_version_does_not_know_is_shown_too() -> None:
    assert columns([{**PLAIN[0], "waiting": 5}])[-1] == "waiting"


def test_the_table_fits_120_columns_when_everything_happened(capsys: pytest.CaptureFixture[str]) -> None:
    all_at_once = {name: value or 123_456_789 for name, value in PLAIN[0].items() if name != "marked"} | {"marked": ""}
    print_counts("cycle 1", [all_at_once] * 3)
    assert max(map(len, capsys.readouterr().out.splitlines())) <= 120


def test_a_marked_cycle_says_why_and_how_many_rows_it_looked_at(capsys: pytest.CaptureFixture[str]) -> None:
    print_counts("", [asdict(MartCounts("mart_a", looked_at=1234, marked="retention_seconds from 1 to 2"))])
    assert "mart_a: a marked cycle, 1,234 rows looked at: retention_seconds from 1 to 2" in capsys.readouterr().out


def test_one_line_says_what_moved() -> None:
    assert short(PLAIN) == "archived 2"
    assert short([asdict(MartCounts("m", marked="x", gaps=3, replaced=9))]) == "marked, gaps 3"
    assert short([]) == ""
