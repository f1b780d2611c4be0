"""A member of the consumer group, reading what is committed.

Assigned partitions stand still until they are started at the warehouse's position: Kafka's own committed offsets
are never read. `auto.offset.reset=error`: an offset that Kafka no longer has is said, never skipped.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any

from confluent_kafka import OFFSET_END, Consumer, KafkaError, KafkaException, Message, TopicPartition

from consumers.kafka_topics import translated
from consumers.messages import Messages, Place
from consumers.ports import Arrived, End, Gone, Records, Topics
from waybill.errors import StaleOwner, UnreachableError

log = logging.getLogger(__name__)

_GONE = (KafkaError._AUTO_OFFSET_RESET, KafkaError.OFFSET_OUT_OF_RANGE)
_WAITS = (KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._UNKNOWN_TOPIC, KafkaError._UNKNOWN_PARTITION)
_AWAY = (KafkaError._ALL_BROKERS_DOWN, KafkaError._TRANSPORT, KafkaError._TIMED_OUT, KafkaError._RESOLVE)
_QUEUE_KB = 32 * 1024
# So long after it joined, a member looks whether topics were left out of what it was given.
_SETTLE_SECONDS = 3.0
_WAKE_SECONDS = 0.02
# Of the client's own message; its types allow None where a message that arrived has none.
_CLIENT: Any = Message
_TOPIC, _PARTITION, _ERROR = _CLIENT.topic, _CLIENT.partition, _CLIENT.error
_OFFSET, _TIMESTAMP, _KEY, _VALUE = _CLIENT.offset, _CLIENT.timestamp, _CLIENT.key, _CLIENT.value


def settings(bootstrap: str, group: str, member: str | None) -> dict[str, Any]:
    """The client's settings. `member` is the static id, None for a short-lived one that leaves when it closes."""
    chosen: dict[str, Any] = {
        "bootstrap.servers": bootstrap,
        "group.id": group,
        "partition.assignment.strategy": "cooperative-sticky",
        "isolation.level": "read_committed",
        "auto.offset.reset": "error",
        "enable.auto.commit": False,
        "enable.auto.offset.store": False,
        "enable.partition.eof": True,
        # The default of a second stalls catching up (ground.md section 7).
        "fetch.queue.backoff.ms": 20,
        # What goes on after a pause waits for the fetch of what stood at its end; the default is half a second.
        "fetch.wait.max.ms": 100,
        "queued.max.messages.kbytes": _QUEUE_KB,
        "session.timeout.ms": 10_000,
        "heartbeat.interval.ms": 2_000,
        # Topics are made by Connect, some of them later: look for them often.
        "topic.metadata.refresh.interval.ms": 5_000,
        "reconnect.backoff.max.ms": 2_000,
        # A broker that stands still is told after so long; the default is a minute.
        "socket.timeout.ms": 15_000,
        "log_level": 2,
    }
    if member:
        chosen["group.instance.id"] = member
    return chosen


class KafkaFeed:
    """Not for two threads at a time.

    A static member that starts again within its session gets what it had: the broker asks nobody, and a topic that was
    made, or subscribed to, meanwhile is given to no one, for ever. So it joins once more when it sees such a topic.
    """

    def __init__(self, chosen: Mapping[str, Any], known: Topics) -> None:
        self._known = known
        self._member = str(chosen.get("group.instance.id", ""))
        self._consumer = Consumer({**chosen, "error_cb": self._said})
        self._warned: set[str] = set()
        self._fatal: Any = None
        self._away = False
        self._subscribe: Callable[[Sequence[str]], None] = lambda _: None
        self._topics: list[str] = []
        self._joined_at: float | None = None
        self._settled = False

    def subscribe(
        self,
        topics: Sequence[str],
        assigned: Callable[[list[Place]], None],
        revoked: Callable[[list[Place]], None],
    ) -> None:
        def on_assign(consumer: Any, found: list[Any]) -> None:
            places = _places(found)
            self._joined_at = self._joined_at or time.monotonic()
            # Nothing of offset 0 is taken: the partition is paused, and nobody has claimed it yet.
            consumer.incremental_assign([TopicPartition(topic, partition, 0) for topic, partition in places])
            self.pause(places)
            assigned(places)

        def on_revoke(consumer: Any, found: list[Any]) -> None:
            places = _places(found)
            consumer.incremental_unassign([TopicPartition(*place) for place in places])
            revoked(places)

        def on_lost(consumer: Any, found: list[Any]) -> None:
            revoked(_places(found))

        def subscribe(names: Sequence[str]) -> None:
            with translated("joining the consumer group"):
                self._consumer.subscribe(list(names), on_assign=on_assign, on_revoke=on_revoke, on_lost=on_lost)

        self._subscribe, self._topics = subscribe, list(topics)
        subscribe(topics)

    def _settle(self) -> None:
        """Once, soon after it joined: ask for the topics that nobody may have been given."""
        if self._settled or self._joined_at is None or time.monotonic() < self._joined_at + _SETTLE_SECONDS:
            return
        try:
            # Not through the own connection: there the answer comes after that of a fetch that waits for messages.
            known = self._known.describe(self._topics)
        except UnreachableError:
            self._joined_at = time.monotonic()
            return
        self._settled = True
        own = {each.topic for each in self._consumer.assignment()}
        if left := [topic for topic in self._topics if topic not in own and topic in known]:
            log.info("joins its group once more: of %s it was given nothing", ", ".join(left))
            # A subscription that does not change is no reason to join.
            self._subscribe([topic for topic in self._topics if topic not in left])
            self._subscribe(self._topics)

    def poll(self, limit: int, seconds: float) -> list[Arrived]:
        self._settle()
        try:
            messages: list[Any] = self._consumer.consume(limit, seconds)
        except KafkaException as error:
            self._refuse(error.args[0])
            raise UnreachableError(f"reading from Kafka: {error.args[0]}") from error
        if self._fatal is not None:
            self._refuse(self._fatal)
        return self._arrived(messages)

    def _arrived(self, messages: list[Any]) -> list[Arrived]:
        """Messages by the runs in which they came, one partition after the other."""
        found: list[Arrived] = []
        # Column by column: one step of the interpreter for all messages, where it would take eight for each.
        sound = [problem is None for problem in map(_ERROR, messages)]
        places, start = zip(map(_TOPIC, messages), map(_PARTITION, messages), sound, strict=True), 0
        for (topic, partition, is_sound), same in groupby(places):
            stop = start + len(list(same))
            run, start = messages[start:stop], stop
            if is_sound:
                self._answers()
                times = [time for _, time in map(_TIMESTAMP, run)]
                columns = Messages(list(map(_OFFSET, run)), times, list(map(_KEY, run)), list(map(_VALUE, run)))
                found.append(Records(topic, partition, columns))
                continue
            for message in run:
                self._noted(message, message.error(), found)
        return found

    def _answers(self) -> None:
        if self._away:
            self._away = False
            log.info("Kafka answers again")

    def _noted(self, message: Any, problem: Any, found: list[Arrived]) -> None:
        """What is no message."""
        if problem.code() == KafkaError._PARTITION_EOF:
            found.append(End(message.topic(), message.partition(), message.offset()))
        elif problem.code() in _GONE:
            found.append(Gone(message.topic(), message.partition(), str(problem)))
        else:
            self._refuse(problem)
            self._said(problem, message.topic() or "")

    def start(self, offsets: Mapping[Place, int]) -> None:
        for (topic, partition), offset in offsets.items():
            with translated(f"going to offset {offset} of {topic} partition {partition}"):
                self._go_to(TopicPartition(topic, partition, offset))
        self.resume(offsets)

    def _go_to(self, where: Any) -> None:
        try:
            self._consumer.seek(where)
        except KafkaException as error:
            if error.args[0].code() != KafkaError._STATE:
                raise
            # The client gave the partition up after an offset that Kafka has not, perhaps offset 0 before it was
            # paused, and refuses to seek ever after. Assigned anew it begins where it is told.
            self._consumer.incremental_unassign([TopicPartition(where.topic, where.partition)])
            self._consumer.incremental_assign([where])

    def pause(self, places: Iterable[Place]) -> None:
        with translated("pausing partitions"):
            self._consumer.pause([TopicPartition(*place) for place in places])

    def resume(self, places: Collection[Place]) -> None:
        with translated("resuming partitions"):
            self._consumer.resume([TopicPartition(*place) for place in places])
        self._wake(places)

    def _wake(self, places: Collection[Place]) -> None:
        """Ask the leaders of these partitions anything; the answer is of no interest.

        The client's thread of a broker of which nothing is read looks only once a second whether that is still so, and
        going on does not wake it. A question does.
        """
        try:
            self._consumer.offsets_for_times([TopicPartition(*place, OFFSET_END) for place in places], _WAKE_SECONDS)
        except KafkaException as error:
            log.debug("Kafka was not asked, reading goes on a second later: %s", error)

    def commit(self, offsets: Mapping[Place, int]) -> None:
        wanted = [TopicPartition(topic, partition, offset) for (topic, partition), offset in offsets.items()]
        try:
            self._consumer.commit(offsets=wanted, asynchronous=True)
        except KafkaException as error:
            log.debug("Kafka did not take the offsets: %s", error)

    def close(self) -> None:
        self._consumer.close()

    def _refuse(self, error: Any) -> None:
        """Raise for what no waiting mends."""
        if _is_fatal(error):
            raise StaleOwner(
                f"Kafka shut this consumer out of its group: {error}",
                kept="nothing; whoever came after it goes on from the warehouse's position",
                todo=f"see who else runs under the member name {self._member!r} (waybill consume --member NAME)",
            )

    def _said(self, error: Any, topic: str = "") -> None:
        """Say each kind of trouble once, until a day later somebody asks why it is quiet."""
        if _is_fatal(error):
            # A client with a fatal error delivers nothing ever after, and no call says so again.
            self._fatal = error
        if error.code() in _AWAY:
            if not self._away:
                self._away = True
                log.warning(
                    "Kafka does not answer (%s): reading waits and goes on by itself; nothing is lost: positions stand"
                    " in the warehouse", error.str(),
                )  # fmt: skip
            return
        text = f"waits for topic {topic}" if error.code() in _WAITS else f"Kafka: {error.str()}"
        if text not in self._warned:
            self._warned.add(text)
            log.warning("%s", text)


def _is_fatal(error: Any) -> bool:
    # The flag alone is not enough: the client's error callback gets an error without it.
    return bool(error.fatal()) or error.code() in (KafkaError._FATAL, KafkaError.FENCED_INSTANCE_ID)


def _places(found: Iterable[Any]) -> list[Place]:
    return [(partition.topic, partition.partition) for partition in found]
