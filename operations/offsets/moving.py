"""Moving positions by hand: planned from what stands, written under the table's lock by compare-and-set.

The epoch is raised with it, so a consumer that still runs is stale and loads nothing more from where it was. What
is left out is written down with it, so that no gap is silent.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from psycopg2.sql import SQL

from consumers.kafka_topics import KafkaTopics
from consumers.messages import Place
from consumers.ports import Ends, TopicInfo
from consumers.streams import Stream
from loaders import positions
from loaders.ports import Engine
from operations.offsets import history, standing
from operations.offsets.plan import Move, move, removed, stays
from operations.offsets.standing import Standing
from operations.offsets.targets import Target, resolve
from warehouse.session import Session
from warehouse.statements import table
from waybill.errors import RefusedError, SettingsError
from waybill.raw import RAW_SCHEMA, ledger_table

_LOCK_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Order:
    """What was typed: `change` is seed or reset."""

    change: str
    target: Target
    by: str
    reason: str


def plan(
    session: Session, topics: KafkaTopics, streams: Sequence[Stream], partition: int | None, target: Target
) -> list[Move]:
    """One move a partition that does not stand there already. Reads only.

    Raises `SettingsError` for what does not exist, `UnreachableError` when Kafka or the warehouse does not answer.
    """
    infos = topics.describe(stream.topic for stream in streams)
    ends = topics.ends(
        (stream.topic, number)
        for stream in streams if stream.topic in infos
        for number in range(infos[stream.topic].partitions)
        if partition in (None, number)
    )  # fmt: skip
    if not ends:
        which = "" if partition is None else f" partition {partition} of"
        raise SettingsError(f"Kafka has not{which} {', '.join(s.topic for s in streams)}", todo="waybill offsets show")
    targets = resolve(target, topics, ends)
    found: list[Move] = []
    for stream in streams:
        if stream.topic in infos:
            found += _of_stream(session, stream, infos[stream.topic], ends, targets, partition)
    return [one for one in found if not stays(one)]


def _of_stream(
    session: Session, stream: Stream, info: TopicInfo, ends: dict[Place, Ends], targets: dict[Place, int],
    partition: int | None,
) -> list[Move]:  # fmt: skip
    now = {p: s for p, s in standing.read(session, stream.raw).items() if p[0] == stream.topic}
    foreign = [s for s in now.values() if s.topic_id != info.topic_id]
    if foreign and partition is not None:
        raise SettingsError(
            f"{stream.topic} was deleted and made again: all of its partitions begin anew", todo="leave out --partition"
        )
    changes = history.changes(session, [stream.name])
    newest = _newest_generations(session, stream)
    found = []
    for place, to in targets.items():
        if place[0] != stream.topic:
            continue
        at = now.get(place)
        generation = max(at.generation if at else 0, newest.get(place[1], 0))
        found.append(
            move(stream.name, stream.raw, place, at, info.topic_id, ends[place], to, changes, generation)
        )  # fmt: skip
    return found + [removed(stream.name, stream.raw, s) for s in foreign if s.partition >= info.partitions]


def _newest_generations(session: Session, stream: Stream) -> dict[int, int]:
    """By partition, as the ledger has them: a generation is never given twice, whatever became of a position."""
    rows = session.rows(
        SQL(
            "SELECT kafka_partition, max(generation) AS newest FROM {} WHERE topic = %s GROUP BY kafka_partition"
        ).format(table(RAW_SCHEMA, ledger_table(stream.raw))),
        (stream.topic,),
        doing=f"asking the ledger of {stream.raw} for its generations",
    )
    return {row["kafka_partition"]: row["newest"] for row in rows}


def apply(session: Session, engine: Engine, moves: Sequence[Move], order: Order) -> None:
    """Write them, one transaction a raw table, its lock first.

    Raises `RefusedError` when a position is not where it was planned from; that table's moves are rolled back,
    those of the tables before it stand. Doing it again writes nothing: there is nothing to move any more.
    """
    for raw in dict.fromkeys(one.raw for one in moves):
        lock = engine.lock(positions.name_of(raw))
        with session.transaction(lock=lock, lock_seconds=_LOCK_SECONDS):
            known = standing.read(session, raw)
            for one in (m for m in moves if m.raw == raw):
                _refuse_moved(one, known.get(one.place))
                _write_position(session, one, order)
                _write_history(session, one, order)


def _refuse_moved(one: Move, now: Standing | None) -> None:
    planned = one.standing
    if _where(now) != _where(planned):
        who = f" by {now.owner}" if now and now.owner else ""
        raise RefusedError(
            f"{one.place[0]} partition {one.place[1]} was moved{who} since it was looked at: it stands at"
            f" {_words(now)}, it stood at {_words(planned)}",
            kept=f"no position of {one.table} was changed",
            todo="end the consumer, then give the command again",
        )


def _where(at: Standing | None) -> tuple[str, int, int, int] | None:
    return None if at is None else (at.topic_id, at.generation, at.epoch, at.next_offset)


def _words(at: Standing | None) -> str:
    return "no position" if at is None else f"offset {at.next_offset} (generation {at.generation}, epoch {at.epoch})"


def _write_position(session: Session, one: Move, order: Order) -> None:
    name = positions.name_of(one.raw)
    topic, partition = one.place
    session.run(
        SQL("DELETE FROM {} WHERE topic = %s AND kafka_partition = %s").format(name), (topic, partition),
        doing=f"moving the position of {topic} partition {partition}",
    )  # fmt: skip
    if one.removed:
        return
    epoch = one.standing.epoch + 1 if one.standing else 1
    session.run(
        SQL(
            "INSERT INTO {} (topic, topic_id, kafka_partition, generation, epoch, next_offset, owner)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s)"
        ).format(name),
        (topic, one.topic_id, partition, one.generation, epoch, one.to, f"{order.change} by {order.by}"[:255]),
        doing=f"moving the position of {topic} partition {partition}",
    )


def _write_history(session: Session, one: Move, order: Order) -> None:
    was = one.standing
    row = {
        "change": order.change, "table_name": one.table, "raw_table": one.raw, "topic": one.place[0],
        "kafka_partition": one.place[1], "from_topic_id": was.topic_id if was else "",
        "from_offset": was.next_offset if was else None, "from_generation": was.generation if was else 0,
        "to_topic_id": one.topic_id, "to_offset": one.to, "generation": one.generation,
        "asked": order.target.text[:255], "events_skipped": one.skip_effect.events,
        "events_again": one.again_effect.events, "changed_by": order.by, "reason": order.reason,
    }  # fmt: skip
    _insert(session, "position_changes", row)
    spans: list[tuple[str, int, int | None]] = [(one.topic_id, *span) for span in one.skipped]
    if one.lost_from is not None and was is not None:
        spans.append((was.topic_id, one.lost_from, None))
    for topic_id, first, end in spans:
        _insert(session, "skipped_spans", {
            "table_name": one.table, "raw_table": one.raw, "topic": one.place[0], "topic_id": topic_id,
            "kafka_partition": one.place[1], "first_offset": first, "next_offset": end, "generation": one.generation,
            "why": order.reason, "skipped_by": order.by, "accepted_by": "", "accepted_reason": "",
        })  # fmt: skip


def _insert(session: Session, name: str, row: dict[str, object]) -> None:
    names, marks = ", ".join(row), ", ".join(f"%({key})s" for key in row)
    session.run(
        f"INSERT INTO settlement_public.{name} ({names}) VALUES ({marks})", row, doing=f"writing {name}"
    )  # fmt: skip


def owned(
    moves: Iterable[Move], members: dict[Place, str], held: Iterable[str]
) -> dict[Place, str]:  # fmt: skip
    """Who consumes what is to be moved. A table that is stopped is not consumed: its consumer holds nothing of it."""
    free = set(held)
    return {one.place: members[one.place] for one in moves if one.place in members and one.table not in free}
