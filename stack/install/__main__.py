"""`python -m stack.install`: fetch what the native stack needs. With `lock`: write the Maven lock anew."""

from __future__ import annotations

import shutil
import signal
import sys

from stack.install import lockfile, maven, parts
from stack.layout import Layout
from stack.progress import Progress
from waybill.errors import WaybillError

USAGE = "python -m stack.install [lock]"


def main(words: list[str]) -> int:
    """Exit code of the command (spec section 16)."""
    layout = Layout.here()
    # A shell starts its background jobs deaf to Ctrl-C; the set-up must hear it, and SIGTERM like it.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    try:
        if words == ["lock"]:
            write_lock(layout)
        elif not words:
            with Progress() as progress:
                parts.install(layout, progress)
                progress.say("set-up: everything is there")
        else:
            print(USAGE, file=sys.stderr)
            return 2
    except WaybillError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("interrupted; run it again, it goes on where it was", file=sys.stderr)
        return 3
    return 0


def write_lock(layout: Layout) -> None:
    """Ask Maven for the files of the poms and lock their checksums; read the difference before committing."""
    fresh = layout.cache / "part" / "lock" / "fetched"
    shutil.rmtree(fresh.parent, ignore_errors=True)
    fresh.parent.mkdir(parents=True)
    maven.fetch(fresh, layout.cache)
    maven.LOCK.write_text(lockfile.render(lockfile.checksums(fresh)))
    shutil.rmtree(fresh.parent)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
