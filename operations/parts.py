"""The services that the pipeline stands on: does each answer, and what is safe while one does not?"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass

from operations.asking import put
from operations.needs import Need
from waybill.errors import WaybillError

SECONDS = 5.0
"""How long a part may take to answer. One that is this slow is told like one that is down."""


@dataclass(frozen=True)
class Part:
    """One service. `ask` uses it once and raises a `WaybillError` when that fails.

    `kept` says what is not lost while it is away, `todo` what to type.
    """

    name: str
    where: str
    ask: Callable[[], object]
    kept: str
    todo: str


def away(parts: Sequence[Part], seconds: float = SECONDS) -> dict[str, Need]:
    """By name, those that do not answer in time or refuse; all are asked at once."""
    limit = time.monotonic() + seconds
    asked = [(part, put(part.ask)) for part in parts]
    found = {part.name: _need(part, answer, max(0.0, limit - time.monotonic()), seconds) for part, answer in asked}
    return {name: need for name, need in found.items() if need is not None}


def _need(part: Part, answer: Future[object], left: float, seconds: float) -> Need | None:
    try:
        answer.result(left)
    except TimeoutError:
        why = f"nothing came within {seconds:g} s"
    except WaybillError as error:
        why = error.what
    else:
        return None
    return Need(f"{part.name} at {part.where} does not answer: {why}", part.todo, part.kept)
