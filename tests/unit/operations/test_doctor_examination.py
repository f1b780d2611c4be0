"""Every check runs whatever the others find, and the exit code says the worst."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import pytest

from operations.doctor import kafka, mysql
from operations.doctor.examination import Check, Finding, Note, Service, Wrong, examine, exit_code
from waybill.errors import SettingsError, UnreachableError


def raises(error: Exception) -> str:
    raise error


def service(name: str, *checks: Check) -> Service:
    return Service(name, lambda: checks)


def states(*services: Service) -> list[tuple[str, str, str]]:
    return [(f.service, f.check, f.state) for f in examine(services)]


def test_a_check_that_fails_does_not_hide_the_next() -> None:
    assert states(
        service(
            "a",
            ("one", lambda: raises(Wrong("bad", todo="mend it"))),
            ("two", lambda: raises(ZeroDivisionError("oh"))),
            ("three", lambda: raises(Note("not there yet"))),
            ("four", lambda: "fine"),
        )
    ) == [("a", "one", "wrong"), ("a", "two", "wrong"), ("a", "three", "note"), ("a", "four", "ok")]


def test_a_service_that_does_not_answer_is_one_finding_and_the_others_are_looked_at() -> None:
    def down() -> Iterable[Check]:
        raise UnreachableError("no answer", todo="start it")
        yield ("never", lambda: "")

    findings = examine([Service("a", down), service("b", ("one", lambda: "fine"))])
    assert findings[0] == Finding("a", "reachable", "unreachable", "no answer", "start it")
    assert findings[1].state == "ok"
    assert exit_code(findings) == 3


def test_what_checks_share_is_closed_after_the_last() -> None:
    seen: list[str] = []

    def checks() -> Iterable[Check]:
        seen.append("open")
        yield "one", lambda: str(seen.append("one"))
        yield "two", lambda: str(seen.append("two"))
        seen.append("closed")

    examine([Service("a", checks)])
    assert seen == ["open", "one", "two", "closed"]


def test_the_exit_code_is_that_of_the_worst() -> None:
    ok, wrong, note = (Finding("a", "b", state, "") for state in ("ok", "wrong", "note"))
    assert exit_code([ok, note]) == 0
    assert exit_code([ok, wrong, note]) == 1


def test_wrong_settings_of_a_service_are_wrong_not_unreachable() -> None:
    def checks() -> Iterable[Check]:
        raise SettingsError("incomplete", todo="set it")

    assert exit_code(examine([Service("a", checks)])) == 1


class Clock:
    def now(self) -> datetime:
        return datetime(2026, 11, 22, tzinfo=UTC)

    def monotonic(self) -> float:
        return 0

    def sleep(self, seconds: float) -> None: ...


def test_a_clock_that_is_off_by_more_than_allowed_is_wrong() -> None:
    clock = Clock()
    assert mysql.drift("MySQL", clock.now() + timedelta(seconds=59), 60, clock) == "+59.0 s from this machine's"
    with pytest.raises(Wrong, match=r"-61\.0 s off"):
        mysql.drift("MySQL", clock.now() - timedelta(seconds=61), 60, clock)


@pytest.mark.parametrize(
    ("name", "found", "said"),
    [
        ("binlog_row_image", "MINIMAL", "binlog_row_image is MINIMAL, needed is FULL"),
        ("binlog_row_value_options", "PARTIAL_JSON", "partial JSON row images cannot be carried"),
        ("gtid_mode", "OFF", "gtid_mode is OFF, needed is ON"),
    ],
)
def test_a_binlog_setting_that_is_not_as_needed_is_named(name: str, found: str, said: str) -> None:
    with pytest.raises(Wrong, match=said):
        mysql._setting({name: found}, name, mysql._MUST[name])


def test_short_binlogs_are_wrong() -> None:
    with pytest.raises(Wrong, match="kept 24 hours"):
        mysql._retention({"binlog_expire_logs_seconds": "86400"})
    assert mysql._retention({"binlog_expire_logs_seconds": "604800"}) == "7 days"
    assert "never" in mysql._retention({"binlog_expire_logs_seconds": "0"})


@pytest.mark.parametrize(
    ("pattern", "schema", "matches"),
    [("waybill", "waybill", True), ("waybill", "waybill_a", False), ("waybill\\_%", "waybill_a", True),
     ("waybill\\_%", "waybillxa", False), ("way%", "waybill", True), ("w_y%", "waybill", True)],
)  # fmt: skip
def test_a_grant_names_schemas_by_pattern(pattern: str, schema: str, matches: bool) -> None:
    assert mysql._matches(pattern, schema) is matches


def test_a_transaction_topic_that_forgets_before_the_data_is_wrong() -> None:
    topics = kafka.Topics({"w.a": 3, "w.b": 3}, "w.transaction", "w.notification")
    day = 86_400_000
    configs = {"w.a": {"retention.ms": str(7 * day)}, "w.transaction": {"retention.ms": str(6 * day)}}
    with pytest.raises(Wrong, match="keeps 6 days, a data topic 7 days"):
        kafka._kept_as_long(configs, topics)
    configs["w.transaction"] = {"retention.ms": "-1"}
    assert kafka._kept_as_long(configs, topics)
    configs["w.transaction"]["retention.bytes"] = "1000000"
    with pytest.raises(Wrong, match="bounded by size"):
        kafka._kept_as_long(configs, topics)


def test_a_service_that_stands_still_is_told_with_what_was_found_before_and_holds_nobody() -> None:
    never = threading.Event()
    still = service("a", ("one", lambda: "fine"), ("two", lambda: str(never.wait())))
    found = examine([still, service("b", ("one", lambda: "fine"))], seconds=0.2)
    assert [(f.service, f.check, f.state) for f in found] == [
        ("a", "one", "ok"), ("a", "what follows one", "unreachable"), ("b", "one", "ok")
    ]  # fmt: skip
    assert found[1].todo
    never.set()
