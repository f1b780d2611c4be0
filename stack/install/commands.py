"""Running another program of the machine during the set-up, its output kept for the error message."""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from waybill.errors import UnreachableError

LINES = 12


def run(
    argv: Sequence[str | Path],
    *,
    what: str,
    todo: str,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    limit: float = 900,
) -> str:
    """Run and return stdout and stderr. `what` finishes the sentence "could not ...".

    Raises UnreachableError with the last lines of the output and `todo`; `limit` is seconds.
    """
    words = [str(word) for word in argv]
    try:
        done = subprocess.run(
            words,
            cwd=cwd,
            env=None if env is None else dict(env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=limit,
        )
    except FileNotFoundError as error:
        raise UnreachableError(f"could not {what}: there is no program {words[0]}", todo=todo) from error
    except subprocess.TimeoutExpired as error:
        raise UnreachableError(f"could not {what}: no end after {limit:.0f} s", todo=todo) from error
    if done.returncode != 0:
        tail = "\n".join(f"    {line}" for line in done.stdout.strip().splitlines()[-LINES:])
        raise UnreachableError(
            f"could not {what}: exit code {done.returncode} of {shlex.join(words[:3])} ...\n{tail}", todo=todo
        )
    return done.stdout
