"""Dead letters beside what became of them: the topic's letters, the warehouse's decisions and rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from consumers.dead_letters.letters import Letter, Letters
from consumers.streams import Stream
from loaders.aside import AsideStore, Standing
from loaders.decisions import DROPPED, REDRIVEN, Decision
from waybill.errors import SettingsError
from waybill.positions import Origin

OPEN, WAITING, LOADED, UNKNOWN = "open", "waiting", "loaded", "unknown table"
STATES = (OPEN, REDRIVEN, DROPPED, WAITING, LOADED, UNKNOWN)


@dataclass(frozen=True)
class Entry:
    """One letter and how it stands.

    `open` until it is `redriven` or `dropped`; `waiting` while the position has not passed it (a crash fell between);
    `loaded` when its message was read again and decoded; `unknown table` when its topic is not in the pipeline file.
    """

    letter: Letter
    stream: Stream | None
    state: str
    decision: Decision | None

    @property
    def table(self) -> str:
        return self.stream.name if self.stream else self.letter.origin.topic

    @property
    def message_at(self) -> datetime:
        """The message's own time, UTC without zone."""
        return datetime.fromtimestamp(self.letter.time / 1000, UTC).replace(tzinfo=None)


class Desk:
    """Reads when it is asked; remembers nothing."""

    def __init__(self, letters: Letters, store: AsideStore, streams: Sequence[Stream]) -> None:
        self.letters, self.store = letters, store
        self.streams = streams
        self._streams = {stream.topic: stream for stream in streams}

    def entries(self) -> list[Entry]:
        """Every letter, in the order in which they were set aside. Raises `UnreachableError`, `SettingsError`."""
        heads = self.letters.heads()
        if not heads:
            return []
        decisions = self.store.decisions()
        standing = self._standing(heads, decisions)
        return [self._entry(letter, decisions.get(origin), standing.get(origin)) for origin, letter in heads.items()]

    def named(self, name: str) -> list[Entry]:
        """The letter TOPIC/PARTITION/OFFSET; a table may stand for its topic. More than one: the topic was made anew.

        Raises `SettingsError` when there is none.
        """
        topic, partition, offset = self.place(name)
        found = [
            entry
            for entry in self.entries()
            if (entry.letter.origin.topic, entry.letter.origin.partition, entry.letter.origin.offset)
            == (topic, partition, offset)
        ]
        if not found:
            raise SettingsError(f"there is no dead letter {name}", todo="waybill deadletters list")
        return found

    def place(self, name: str) -> tuple[str, int, int]:
        """Topic, partition and offset of TOPIC/PARTITION/OFFSET. Raises `SettingsError` when it is not one."""
        topic, _, rest = name.partition("/")
        partition, _, offset = rest.partition("/")
        if not (topic and partition.isdecimal() and offset.isdecimal()):
            raise SettingsError(f"{name!r} is not TOPIC/PARTITION/OFFSET", todo="waybill deadletters list")
        by_table = {name: s.topic for s in self._streams.values() for name in (s.name, s.name.split(".")[-1])}
        return by_table.get(topic, topic), int(partition), int(offset)

    def stream(self, topic: str) -> Stream:
        """Raises `SettingsError` when the pipeline file has no table of this topic."""
        if topic not in self._streams:
            raise SettingsError(f"the pipeline file has no table of the topic {topic}")
        return self._streams[topic]

    def _standing(self, heads: Mapping[Origin, Letter], decisions: Mapping[Origin, Decision]) -> dict[Origin, Standing]:
        found: dict[Origin, Standing] = {}
        for topic, stream in self._streams.items():
            undecided = {o: one.generation for o, one in heads.items() if o.topic == topic and o not in decisions}
            if undecided:
                found |= self.store.standing(stream.raw, undecided)
        return found

    def _entry(self, letter: Letter, decision: Decision | None, standing: Standing | None) -> Entry:
        states = {Standing.OPEN: OPEN, Standing.AHEAD: WAITING, Standing.LOADED: LOADED}
        state = decision.decision if decision else states[standing] if standing else UNKNOWN
        return Entry(letter, self._streams.get(letter.origin.topic), state, decision)
