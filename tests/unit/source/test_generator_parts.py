"""Pacing, clocks, keys, mixes, moments: what the generator is made of."""

from __future__ import annotations

import threading
from collections import Counter
from random import Random

import pytest

from source.generator import checked_mix
from source.journeys import FINAL, NEXT, following, journey
from source.keys import Keys
from source.kinds import KINDS, default_mix
from source.moment import parse_moment
from source.pace import DEBT, Pace, travelling
from source.tsv import Moments, field
from waybill.errors import SettingsError


class FakeStop(threading.Event):
    """A stop whose wait moves a clock instead of waiting."""

    def __init__(self) -> None:
        super().__init__()
        self.time = 0.0

    def wait(self, timeout: float | None = None) -> bool:
        self.time += timeout or 0.0
        return self.is_set()


def test_pace_waits_until_the_next_change_is_due() -> None:
    stop = FakeStop()
    pace = Pace(10, stop, lambda: stop.time)
    for done in range(101):
        assert pace.wait(done)
    assert stop.time == pytest.approx(10.0)


def test_pace_makes_up_for_a_short_delay() -> None:
    stop = FakeStop()
    pace = Pace(10, stop, lambda: stop.time)
    stop.time = 3.0
    for done in range(51):
        pace.wait(done)
    assert stop.time == pytest.approx(5.0)


def test_pace_forgives_a_long_delay() -> None:
    stop = FakeStop()
    pace = Pace(10, stop, lambda: stop.time)
    stop.time = 1000.0
    for done in range(int(10 * DEBT) + 11):
        pace.wait(done)
    assert stop.time == pytest.approx(1001.0)


def test_pace_does_not_wait_beyond_the_end() -> None:
    stop = FakeStop()
    pace = Pace(10, stop, lambda: stop.time)
    assert not pace.wait(500, until=5.0)
    assert stop.time == pytest.approx(5.0)


def test_a_travelling_clock_starts_in_the_past_reaches_now_and_never_passes_it() -> None:
    time = [0.0]
    clock = travelling(1_000.0, 10.0, real=lambda: 90_000.0 + time[0], monotonic=lambda: time[0])
    assert clock() == pytest.approx(1_000.0)
    seen = []
    for tick in range(200):
        time[0] = tick / 10
        seen.append(clock())
        assert seen[-1] <= 90_000.0 + time[0]
    assert seen == sorted(seen)
    assert seen[100] == pytest.approx(90_010.0, abs=1.0)


def test_writers_never_give_the_same_number_and_only_their_own() -> None:
    writers = [Keys(writer, 3, low=1, high=100) for writer in range(3)]
    given = [keys.new() for _ in range(50) for keys in writers]
    assert len(set(given)) == 150
    assert min(given) == 101
    assert all(keys.owns(keys.new()) for keys in writers)


def test_a_mix_of_unknown_kinds_is_refused_and_says_which_there_are() -> None:
    with pytest.raises(SettingsError, match="new_order"):
        checked_mix({"holiday": 1})
    with pytest.raises(SettingsError, match="negative"):
        checked_mix({"status": -1})
    with pytest.raises(SettingsError, match="above 0"):
        checked_mix({"rollback": 1})


def test_kinds_that_a_mix_does_not_name_are_off() -> None:
    assert checked_mix({"status": 2, "bulk": 0}) == {"status": 2.0}
    assert checked_mix(None) == default_mix()
    assert set(default_mix()) == {*KINDS, "rollback"}


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("now", 77),
        ("2026-03-31", 1_774_915_200),
        ("2026-03-31T08:00:00Z", 1_774_944_000),
        ("2026-03-31T10:00:00+02:00", 1_774_944_000),
        ("1774944000", 1_774_944_000),
    ],
)
def test_moments_are_read_in_utc(text: str, moment: int) -> None:
    assert parse_moment(text, 77) == moment


@pytest.mark.parametrize("text", ["yesterday", "", "12", "2040-01-01"])
def test_what_is_no_moment_is_refused(text: str) -> None:
    with pytest.raises(SettingsError):
        parse_moment(text, 77)


def test_every_state_leads_somewhere_and_journeys_end() -> None:
    r = Random(3)
    assert all(following(r, state) in NEXT for state in NEXT for _ in range(20))
    ends = Counter(journey(r).states[-1] in FINAL for _ in range(500))
    assert ends[True] > 490


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "\\N"),
        ("", ""),
        ("\\N", "\\\\N"),
        ("a\tb\nc\r\\", "a\\tb\\nc\\r\\\\"),
        (1e30, "1e+30"),
        (0.1, "0.1"),
        (-5, "-5"),
    ],
)
def test_values_are_written_as_load_data_reads_them(value: object, text: str) -> None:
    assert field(value) == text


def test_moments_have_the_text_of_utc() -> None:
    moments = Moments(0, 1_774_944_000)
    assert moments.text(1_774_944_000) == "2026-03-31 08:00:00"
    assert moments.text(0) == "1970-01-01 00:00:00"
    assert moments.date(86_399) == "1970-01-01"
