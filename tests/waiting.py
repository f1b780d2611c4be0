"""Waiting for a condition, never for a time: every wait has a limit, and says what it saw last when it runs out."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

Found = TypeVar("Found")

PAUSE = 0.1
"""Seconds between two looks."""

PATIENCE = 4
"""How many times slower than a quiet machine this one may be before a wait has failed."""


def until(look: Callable[[], Found], what: str, seconds: float, said: Callable[[], str] = str) -> Found:
    """Look again and again until the answer is true; returns it.

    Fails the test after `seconds`, times `PATIENCE`, naming `what` was waited for, the last answer, and what `said`
    adds to it.
    """
    seconds *= PATIENCE
    limit = time.monotonic() + seconds
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() > limit:
            more = said()
            raise AssertionError(
                f"not within {seconds:g} s: {what}; the last answer was {found!r}{'; ' + more if more else ''}"
            )
        time.sleep(PAUSE)
