"""Checks of one service: each says in a few words that all is well, or what is wrong and what to type."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any

from operations.asking import put
from waybill.errors import UnreachableError, WaybillError

SECONDS = 30.0
"""How long the checks of one service may take together."""

OK, NOTE, WRONG, UNREACHABLE = "ok", "note", "wrong", "unreachable"

Check = tuple[str, Callable[[], str]]
"""A name and a function that answers in words when all is well.

It raises `Note` for what is worth knowing, any `WaybillError` for what is wrong.
"""


class Note(Exception):
    """Neither well nor wrong: for instance not there yet."""

    def __init__(self, what: str, todo: str = "") -> None:
        super().__init__(what)
        self.what, self.todo = what, todo


class Wrong(WaybillError):
    """Something is not as needed."""

    exit_code = 1


@dataclass(frozen=True)
class Finding:
    """The outcome of one check. `todo` is what to type, '' when there is nothing to do."""

    service: str
    check: str
    state: str
    what: str
    todo: str = ""


@dataclass(frozen=True)
class Service:
    """A service with its checks, in order; the first is whether it can be reached at all.

    `checks` may connect, and raise `UnreachableError` or `SettingsError` doing so.
    """

    name: str
    checks: Callable[[], Iterable[Check]]


def examine(services: Sequence[Service], seconds: float = SECONDS) -> list[Finding]:
    """All services at the same time; the findings in their order. Never raises for what it finds.

    A service that stands still is told as not reachable after `seconds`, with what was found of it before.
    """
    limit = time.monotonic() + seconds
    found: list[list[Finding]] = [[] for _ in services]
    asked = [put(partial(_collect, service, into)) for service, into in zip(services, found, strict=True)]
    for service, into, done in zip(services, found, asked, strict=True):
        try:
            done.result(max(0.0, limit - time.monotonic()))
        except TimeoutError:
            into[:] = [*into, _still(service.name, into, seconds)]
    return [finding for findings in found for finding in findings]


def _collect(service: Service, into: list[Finding]) -> None:
    for finding in _findings(service):
        into.append(finding)


def _still(service: str, found: Sequence[Finding], seconds: float) -> Finding:
    check = "reachable" if not found else f"what follows {found[-1].check}"
    what = f"the checks of {service} got no answer within {seconds:g} s: a part that they ask stands still"
    return Finding(service, check, UNREACHABLE, what, "waybill stack status; waybill status")


def _findings(service: Service) -> Iterator[Finding]:
    """One check after the other, so that what they share (a connection) is closed after the last."""
    upcoming: list[Check] = []
    checks: Iterator[Check] = iter(())

    def begin() -> str:
        nonlocal checks
        checks = iter(service.checks())
        upcoming.extend(islice(checks, 1))
        return ""

    beginning = _finding(service.name, "reachable", begin)
    if beginning.state != OK:
        yield beginning
    while upcoming:
        name, function = upcoming.pop()
        yield _finding(service.name, name, function)
        upcoming.extend(islice(checks, 1))


def _finding(service: str, check: str, function: Callable[[], str]) -> Finding:
    try:
        return Finding(service, check, OK, function())
    except Note as note:
        return Finding(service, check, NOTE, note.what, note.todo)
    except UnreachableError as error:
        return Finding(service, check, UNREACHABLE, error.what, error.todo or "waybill stack status")
    except WaybillError as error:
        return Finding(service, check, WRONG, error.what, error.todo)
    except Exception as error:  # noqa: BLE001 - a check that breaks must not hide the others
        return Finding(service, check, WRONG, f"the check itself failed: {type(error).__name__}: {error}")


def exit_code(findings: Iterable[Finding]) -> int:
    """3 when a part is not reachable, else 1 when something is wrong, else 0."""
    states = {finding.state for finding in findings}
    return 3 if UNREACHABLE in states else 1 if WRONG in states else 0


def plain(findings: Iterable[Finding]) -> list[dict[str, Any]]:
    """For --json."""
    return [
        {"service": f.service, "check": f.check, "state": f.state, "what": f.what, "todo": f.todo} for f in findings
    ]
