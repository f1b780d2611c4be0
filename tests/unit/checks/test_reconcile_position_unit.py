"""When a MySQL server may stand for the cut, decided without either database."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from checks.position import Cut, Touched, accept
from waybill.errors import RefusedError
from waybill.gtid import Gtid, GtidSet

UUID = "3e11fa47-71ca-11e1-9e33-c80aa9429562"
CUT = Cut(3, None, GtidSet.parse(f"{UUID}:1-10"), True, ())


class Clock:
    """Time passes only by sleeping."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> datetime:
        return datetime(2026, 11, 22, tzinfo=UTC)

    def monotonic(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds


def known(**numbers: str) -> Touched:
    """n11='kuaisong.a' says what transaction 11 touched; '' is nothing that matters."""
    return {Gtid(UUID, "", int(n[1:])): frozenset({t} if t else ()) for n, t in numbers.items()}


def decide(mysql: str, ends: Touched | None = None, binlog: Touched | None = None, wait: float = 0) -> str:
    return accept(CUT, GtidSet.parse(mysql), "MySQL", lambda _: ends or {}, lambda _: binlog or {}, wait, Clock())


def test_exactly_at_the_cut_is_accepted_without_asking() -> None:
    assert decide(f"{UUID}:1-10") == ""


def test_transactions_that_touched_nothing_are_noted() -> None:
    assert "2 transactions beyond" in decide(f"{UUID}:1-12", known(n11="", n12=""))


def test_a_second_witness_is_asked_for_what_the_first_does_not_know() -> None:
    assert decide(f"{UUID}:1-12", known(n11=""), known(n12=""))


def test_one_that_touched_a_compared_table_refuses_and_names_it() -> None:
    with pytest.raises(RefusedError, match=f"{UUID}:12 has since changed kuaisong.a"):
        decide(f"{UUID}:1-12", known(n11="", n12="kuaisong.a"))


def test_what_nobody_knows_refuses_after_waiting() -> None:
    with pytest.raises(RefusedError, match=f"what {UUID}:12 changed is not known"):
        decide(f"{UUID}:1-12", known(n11=""), wait=3)


def test_a_record_that_is_loaded_while_waiting_is_seen() -> None:
    clock = Clock()
    late = accept(
        CUT,
        GtidSet.parse(f"{UUID}:1-11"),
        "MySQL",
        lambda _: known(n11="") if clock.seconds > 2 else {},
        lambda _: {},
        5,
        clock,
    )
    assert "1 transactions beyond" in late


def test_a_server_that_lacks_transactions_of_the_cut_is_refused() -> None:
    with pytest.raises(RefusedError, match="lacks 2 transactions"):
        decide(f"{UUID}:1-8")


def test_a_server_far_ahead_is_refused_without_asking_for_each() -> None:
    with pytest.raises(RefusedError, match="transactions have happened since"):
        decide(f"{UUID}:1-1000000")
