"""What consumers need of the rest of the world. The command line hands in what fulfils it; tests hand in fakes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, NamedTuple, Protocol

import pyarrow as pa

from consumers.messages import Bytes, Messages, Place
from waybill.errors import StoppedTable
from waybill.objects import StoredBatch
from waybill.positions import Loaded, Position


class Lane(Enum):
    """What kind of work a task is; each kind has workers of its own."""

    STORE = "store"  # decode, write and put one micro-batch
    READ_BACK = "read back"  # one stored object, ahead of its load
    WAREHOUSE = "warehouse"  # claim, load, record a state: one at a time a table
    ASK = "ask"  # is everything loaded?


@dataclass(frozen=True, eq=False, slots=True)
class Task:
    """Work that may wait for others. `run` sees only what was handed to it; `then` is called on the loop's thread."""

    lane: Lane
    name: str
    run: Callable[[], Any]
    then: Callable[[Done], None]


class Done(NamedTuple):
    """A task that ended, with its result or with what it raised."""

    task: Task
    result: Any
    error: BaseException | None = None


class Workers(Protocol):
    """Where blocking work is done, so that the loop itself never waits for a service."""

    def submit(self, task: Task) -> None:
        """Take a task on; never waits. Tasks of one lane begin in the order they came."""

    def finished(self) -> list[Done]:
        """Those that ended since it was last asked, in the order they ended; never waits."""

    def close(self, seconds: float) -> None:
        """Begin nothing more; wait at most so long for what was begun."""


class Warehouse(Protocol):
    """Raw tables with their positions and ledgers. Every call raises `UnreachableError` while it does not answer."""

    def check(self, raw: str) -> None:
        """Raises `SettingsError` when the raw table or one of its companions is missing."""

    def positions(self, raw: str) -> list[Position]:
        """Every partition's position."""

    def claim(self, raw: str, places: Sequence[Position], owner: str, least_epoch: int) -> list[Position]:
        """Become the owner: the epoch of each is raised above its own and above `least_epoch`.

        A partition without a position gets the one given. Answers the positions as they now stand.
        """

    def read_back(self, batch: StoredBatch) -> pa.Table:
        """The batch's rows as they stand in the bucket. Raises `WaybillError` when they are not what was written."""

    def load(self, raw: str, batches: Sequence[StoredBatch], tables: Mapping[int, pa.Table]) -> Loaded:
        """One transaction: rows, ledger and positions of all batches, those of stale owners left out.

        `tables` is what was read back before, by batch id; what is not in it is read now. The batches of one partition
        follow each other. Loading a batch again does nothing. Raises `StoppedTable` when the table cannot take them.
        """

    def state(self, table: str, raw: str, stopped: StoppedTable | None, by: str, held: Mapping[Place, int]) -> bool:
        """Record that a table is stopped and why, or that it runs; where `waybill status` reads it.

        `held` are the partitions that the writer speaks for, with their epochs as it knows them. False, and nothing
        is recorded, when one was claimed by another since: that one says how the table stands.
        """


class Outcome(Enum):
    """What became of a put."""

    STORED = "stored"
    SAME = "stood there with the same bytes"
    DIFFERENT = "stands there with other bytes"


class Bucket(Protocol):
    """The bucket of Parquet objects. Every call raises `UnreachableError` while it does not answer."""

    def check(self) -> None:
        """Raises `SettingsError` when there is no such bucket."""

    def put(self, key: str, body: bytes, sha256: str) -> Outcome:
        """Write once: a key that exists is never overwritten, but compared."""

    def greatest_epoch(self, prefix: str) -> int:
        """Of all objects whose key begins with `prefix`; 0 when there are none."""


class TopicInfo(NamedTuple):
    """A topic as Kafka describes it."""

    topic_id: str
    partitions: int


class Ends(NamedTuple):
    """The first offset a partition still has, and its last stable one (what a committed reader can reach)."""

    low: int
    stable: int


class Topics(Protocol):
    """Kafka's own knowledge of its topics. Every call raises `UnreachableError` while it does not answer."""

    def describe(self, names: Iterable[str]) -> dict[str, TopicInfo]:
        """Those that exist."""

    def ends(self, places: Iterable[Place]) -> dict[Place, Ends]:
        """Of partitions that exist."""


class Record(NamedTuple):
    """A message as it arrives. `time` in milliseconds since 1970."""

    topic: str
    partition: int
    offset: int
    time: int
    key: Bytes
    value: Bytes


class Records(NamedTuple):
    """Messages of one partition that arrived together, in the order of their offsets; at least one."""

    topic: str
    partition: int
    messages: Messages


class End(NamedTuple):
    """The reader stands at the partition's last stable offset."""

    topic: str
    partition: int
    offset: int


class Gone(NamedTuple):
    """Kafka refuses the offset that was asked for."""

    topic: str
    partition: int
    error: str


Arrived = Record | Records | End | Gone


class Feed(Protocol):
    """A member of the consumer group."""

    def subscribe(
        self,
        topics: Sequence[str],
        assigned: Callable[[list[Place]], None],
        revoked: Callable[[list[Place]], None],
    ) -> None:
        """Join. Assigned partitions stand still until `start`."""

    def poll(self, limit: int, seconds: float) -> list[Arrived]:
        """What arrived, at most `limit`, waiting at most `seconds`. Raises `StaleOwner` when fenced."""

    def start(self, offsets: Mapping[Place, int]) -> None:
        """Read from these offsets on."""

    def pause(self, places: Iterable[Place]) -> None:
        """Deliver nothing of these partitions."""

    def resume(self, places: Collection[Place]) -> None:
        """Deliver again."""

    def commit(self, offsets: Mapping[Place, int]) -> None:
        """Tell Kafka, so that its tools show the lag; nothing depends on it."""

    def close(self) -> None:
        """Leave the group."""


class DeadLetter(NamedTuple):
    """A message that cannot be decoded, its bytes untouched."""

    topic: str
    partition: int
    offset: int
    time: int
    key: Bytes
    value: Bytes
    error: str


class DeadLetters(Protocol):
    """The dead-letter topic."""

    def send(self, letters: Sequence[DeadLetter], position: Position) -> None:
        """Letters of one partition, read under `position`'s topic id and generation.

        Returns when all are stored. Raises `UnreachableError` when that is not known.
        """


class Schemas(Protocol):
    """The schema registry."""

    def text(self, schema_id: int) -> str:
        """The Avro schema as JSON text.

        Raises `UnreachableError` when the registry is down, `UnknownSchema` when it has no such id,
        `WrongSchemaError` when the schema is not Avro.
        """
