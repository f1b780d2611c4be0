"""Questions to services, with a limit: one that stands still (SIGSTOP, a dead network) holds nobody who asked."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

_T = TypeVar("_T")


def put(ask: Callable[[], _T]) -> Future[_T]:
    """Ask on a thread of its own; `result(seconds)` answers, raises what `ask` raised, or `TimeoutError`.

    The thread is a daemon: a question that never comes back does not keep the process from ending.
    """
    answer: Future[_T] = Future()

    def run() -> None:
        try:
            answer.set_result(ask())
        except BaseException as error:  # noqa: BLE001 (it is raised where the answer is taken)
            answer.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return answer
