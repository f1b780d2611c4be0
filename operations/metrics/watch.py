"""What only the services know (lag, cut, retention), looked at beside the scrapes: a scrape gets the last answer.

Each part has a thread of its own, so that one that hangs does not silence the others, and looks only while somebody
scrapes. A part whose look failed tells nothing but that it failed: an old value would look like a good one.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from types import TracebackType

from waybill import metrics as m
from waybill.clock import Clock
from waybill.errors import WaybillError
from waybill.metrics import Sample

log = logging.getLogger(__name__)

Look = Callable[[], Iterable[Sample]]
EVERY_SECONDS = 10.0
UNSCRAPED_SECONDS = 300.0


@dataclass(frozen=True)
class Answer:
    """What a look brought. `error` is '' when it succeeded."""

    samples: tuple[Sample, ...] = ()
    seconds: float = 0.0
    error: str = ""


class Part:
    """One thing that is looked at. `look` may wait and raise; it is called by one thread at a time."""

    def __init__(self, name: str, look: Look, clock: Clock) -> None:
        self.name, self._look, self._clock = name, look, clock
        self.answer: Answer | None = None

    def refresh(self) -> None:
        """Look once; never raises."""
        began = self._clock.monotonic()
        error = ""
        samples: tuple[Sample, ...] = ()
        try:
            samples = tuple(self._look())
        except WaybillError as failure:
            error = failure.what
        except Exception as failure:  # noqa: BLE001 (a defect in a look must not end the process it looks at)
            error = f"{type(failure).__name__}: {failure}"
        if error and (self.answer is None or self.answer.error != error):
            log.warning("metrics of %s are missing: %s", self.name, error)
        self.answer = Answer(samples, self._clock.monotonic() - began, error)

    def samples(self) -> Iterable[Sample]:
        """The last answer."""
        answer = self.answer
        if answer is None:
            return
        yield Sample(m.PART_UP, (self.name,), float(not answer.error))
        yield Sample(m.PART_SECONDS, (self.name,), answer.seconds)
        yield from answer.samples


class Watch(AbstractContextManager["Watch"]):
    """Looks at its parts inside `with`, each every `every` seconds."""

    def __init__(self, parts: Sequence[Part], clock: Clock, every: float = EVERY_SECONDS) -> None:
        self._parts, self._clock, self._every = parts, clock, every
        self._scraped = clock.monotonic()
        self._done = threading.Event()

    def samples(self) -> Iterable[Sample]:
        """Every part's last answer; a scrape, so the looking goes on."""
        self._scraped = self._clock.monotonic()
        return [sample for part in self._parts for sample in part.samples()]

    def __enter__(self) -> Watch:
        for part in self._parts:
            threading.Thread(target=self._look_on, args=(part,), name=f"watch {part.name}", daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # Not joined: a look may hang for its time limit, and the threads hold nothing that must be given back.
        self._done.set()

    def _look_on(self, part: Part) -> None:
        while not self._done.is_set():
            if self._clock.monotonic() - self._scraped <= UNSCRAPED_SECONDS:
                part.refresh()
            self._done.wait(self._every)
