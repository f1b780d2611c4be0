"""`make test`: every test, in three runs of pytest, because most of a test's time is spent waiting for a service.

First two at once: what needs no more than the warehouse, and the rest. Then, alone, the tests that kill services, which
all others would notice. What is in neither of the first is in the third: no test is left out by name.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import TextIO

WAREHOUSE_ALONE = ("tests/unit", "tests/simulation", "tests/laws", "tests/mutants", "tests/integration/commit")
LOG = Path("build/side-by-side.log")
_OTHERS = ("tests", *(f"--ignore={path}" for path in WAREHOUSE_ALONE))
_KILL = "kills_services"
_INTERRUPTED = 130
_RULE = "=" * 78


def main(options: Sequence[str]) -> int:
    """`options` are given to every run of pytest. Answers pytest's exit code, of the first run that failed."""
    LOG.parent.mkdir(parents=True, exist_ok=True)
    # Also where it was started in the background, with Ctrl-C ignored: pytest would ignore it then, too.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, _interrupted)
    began = time.monotonic()
    with LOG.open("w") as log:
        # The rest waits for services: whoever computes lets it go first.
        beside = _started(["nice", *_pytest(WAREHOUSE_ALONE, options)], log)
        _say(f"beside the tests below: {', '.join(WAREHOUSE_ALONE)} (tail -f {LOG})")
        try:
            codes = [_started(_pytest((*_OTHERS, "-m", f"not {_KILL}"), options)).wait(), beside.wait()]
        except KeyboardInterrupt:
            # The terminal, or SIGTERM, told them too: each ends what it has started.
            return _ended()
        finally:
            log.flush()
            _say(f"what ran beside, {LOG}:")
            print(LOG.read_text(errors="replace"), flush=True)
    try:
        _say("alone, because they kill services")
        codes.append(_started(_pytest((*_OTHERS, "-m", _KILL), options)).wait())
    except KeyboardInterrupt:
        return _ended()
    failed = [code for code in codes if code]
    _say(f"{'FAILED' if failed else 'all tests passed'} after {(time.monotonic() - began) / 60:.1f} minutes")
    return failed[0] if failed else 0


_RUNNING: list[subprocess.Popen[bytes]] = []


def _pytest(chosen: Sequence[str], options: Sequence[str]) -> list[str]:
    return [sys.executable, "-m", "pytest", *chosen, *options]


def _started(command: list[str], log: TextIO | None = None) -> subprocess.Popen[bytes]:
    started = subprocess.Popen(command, stdout=log, stderr=log and subprocess.STDOUT)
    _RUNNING.append(started)
    return started


def _ended() -> int:
    """Wait for what runs; the exit code of an interrupted run."""
    for each in _RUNNING:
        each.wait()
    return _INTERRUPTED


def _interrupted(_signal: int, _frame: FrameType | None) -> None:
    """As by Ctrl-C, which a terminal sends to all."""
    for each in _RUNNING:
        if each.poll() is None:
            each.send_signal(signal.SIGINT)
    raise KeyboardInterrupt


def _say(text: str) -> None:
    print(f"\n{_RULE}\n{text}\n{_RULE}\n", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
