"""Equal data of every MySQL type raises no alarm, and reading it changes nothing."""

from __future__ import annotations

import pytest

from checks import report
from checks.reconcile import Options, prove
from tests.integration.checks.pairing import Pairing
from waybill.clock import SystemClock


def _prove(pairing: Pairing, **options: int) -> object:
    return prove(pairing.mysql, pairing.warehouse, pairing.subjects, Options(**options), SystemClock(), print)


@pytest.mark.parametrize("buckets", [0, 1, 7, 5000])
def test_equal_tables_are_proven_equal_whatever_the_buckets(pairing: Pairing, buckets: int) -> None:
    proof = prove(
        pairing.mysql, pairing.warehouse, pairing.subjects, Options(buckets=buckets, limit=50), SystemClock(), print
    )
    assert [report.lines(d) for t in proof.tables for d in t.shown] == []
    assert proof.equal
    assert {t.source.partition(".")[2]: t.mart_rows for t in proof.tables} == {
        "ecs_order_info": 900, "uni_tracking_info": 900, "uni_tracking_spath": 1500, "every_type": 1200, "by_text": 27,
    }  # fmt: skip
    assert all(t.mysql_checksum == t.mart_checksum for t in proof.tables if t.unlike_buckets == 0)
