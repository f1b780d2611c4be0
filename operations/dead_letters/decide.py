"""The decisions that load nothing: drop a letter; set aside a message that waits for a schema id nobody knows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from consumers.dead_letters.letters import read
from consumers.dead_letters.trial import Trial
from consumers.decoder import HEADER
from consumers.kafka_topics import translated
from consumers.ports import Schemas
from loaders.decisions import DROPPED, SET_ASIDE, Decision
from operations.dead_letters.desk import Desk, Entry
from waybill.errors import RefusedError, SettingsError, UnknownSchema
from waybill.positions import Origin


def drops(desk: Desk, trial: Trial, entries: Sequence[Entry], by: str, reason: str) -> list[Decision]:
    """What to record for these letters: each marks its row's key, or where that is not certain its table, as to be
    reconciled. Records nothing."""
    by_origin = {entry.letter.origin: entry for entry in entries}
    made = []
    for letter in desk.letters.whole(by_origin.__contains__) if by_origin else ():
        entry = by_origin[letter.origin]
        key = trial.opened(letter).row_key
        made.append(
            Decision(letter.origin, DROPPED, entry.table, by, reason, entry.message_at, key, "key" if key else "table")
        )
    return made


def record(desk: Desk, made: Sequence[Decision]) -> None:
    """One transaction a table."""
    for topic in dict.fromkeys(one.origin.topic for one in made):
        desk.store.decide(desk.stream(topic).raw, [one for one in made if one.origin.topic == topic])


def setting_aside(
    desk: Desk, schemas: Schemas, bootstrap: str, name: str, by: str, reason: str
) -> tuple[Decision, str]:
    """What to record so that the consumer sets this one message aside, and which unknown id it carries.

    Raises `SettingsError` when there is no such message, `RefusedError` when it is passed, or when the registry knows
    its schemas: then the consumer judges it.
    """
    topic, partition, offset = desk.place(name)
    stream = desk.stream(topic)
    standing = {p.place: p for p in desk.store.positions(stream.raw)}.get((topic, partition))
    if standing is None:
        raise SettingsError(f"{stream.name} has no position in {topic} partition {partition}", todo="waybill lag")
    if offset < standing.next_offset:
        raise RefusedError(
            f"the position of {topic} partition {partition} has passed offset {offset}: it stands at"
            f" {standing.next_offset}",
            kept="nothing was decided",
            todo="waybill deadletters list",
        )
    with translated(f"reading {topic}"):
        message = next(iter(read(bootstrap, topic, partition, offset)), None)
    if message is None or message.offset() != offset:
        raise SettingsError(f"{topic} partition {partition} has no message at offset {offset}", todo="waybill lag")
    for data in (message.value(), message.key()):
        if data is None or len(data) < HEADER or data[0] != 0:
            continue
        try:
            schemas.text(int.from_bytes(data[1:HEADER], "big"))
        except UnknownSchema as error:
            at = datetime.fromtimestamp(message.timestamp()[1] / 1000, UTC).replace(tzinfo=None)
            origin = Origin(topic, standing.topic_id, partition, offset)
            return Decision(origin, SET_ASIDE, stream.name, by, reason, at), error.what
    raise RefusedError(
        f"the registry knows the schemas of {name}, so the consumer judges it by itself",
        kept="nothing was decided",
        todo="waybill status says why its table does not go on",
    )
