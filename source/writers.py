"""Several writers at once, each with a connection, its own orders and its share of the rate."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping

from source.databases import Connect, Databases
from source.generator import Generator
from source.summary import Summary


def run(
    connect: Connect,
    databases: Databases,
    *,
    rate: float,
    seconds: float,
    seed: int = 1,
    writers: int = 1,
    mix: Mapping[str, float] | None = None,
    clock: Callable[[], float] = time.time,
    stop: threading.Event | None = None,
    progress: Callable[[Summary], None] = lambda summary: None,
) -> Summary:
    """Run `writers` generators until `seconds` are over (0: until `stop` is set); returns their totals.

    All connect before the first writes; if one fails later, all stop and its error is raised. `progress` hears
    the totals about once a second.
    """
    stop = stop or threading.Event()
    begin = time.monotonic()
    generators = [
        Generator(connect, databases, seed, mix=mix, writer=w, writers=writers, clock=clock, stop=stop)
        for w in range(writers)
    ]
    failures: list[BaseException] = []

    def work(generator: Generator) -> None:
        try:
            generator.run(rate / writers, seconds)
        except BaseException as error:  # noqa: BLE001 - raised by the caller's thread
            failures.append(error)
            stop.set()

    def totals() -> Summary:
        summary = Summary(seed=seed, writers=writers, rate=rate, seconds=time.monotonic() - begin)
        for generator in generators:
            summary.add(generator.summary)
        return summary

    threads = [threading.Thread(target=work, args=(g,), daemon=True) for g in generators]
    for thread in threads:
        thread.start()
    try:
        while any(thread.is_alive() for thread in threads):
            threads[0].join(timeout=1.0 if threads[0].is_alive() else 0.05)
            progress(totals())
    finally:
        stop.set()
        for thread in threads:
            thread.join(timeout=30)
    if failures:
        raise failures[0]
    return totals()
