"""Eight histories of MySQL statements, side by side through Debezium, Kafka, consumer and cycles, against the model.

In each a row does not decode and is redriven, a table's window is read again by a reset, and a table is read again by
an incremental snapshot after it lost a row that no event told of. When, is drawn.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections import Counter
from collections.abc import Iterator, Sequence

import pymysql
import pytest
import yaml

from tests.background import Background
from tests.pipeline_on_stack import PipelineOnStack
from tests.system.histories.drawn import FIRST_HALF_YEAR, Drawn
from tests.waiting import until
from warehouse.session import Session
from waybill.addresses import Addresses

HISTORIES, PHASES = int(os.environ.get("RUNS") or 8), 4
Connection = "pymysql.Connection[Cursor]"
LEAST_EVENTS, LEAST_CYCLES = 40, 6
SEED = int(os.environ.get("SEED") or 1)  # the same each time: whether a commit passes depends on the commit alone


class Told:
    """The histories' pipeline, its consumer as it is or with a defect."""

    def __init__(self, pipeline: PipelineOnStack, histories: Sequence[Drawn], mysql: Connection) -> None:
        self.pipeline, self.histories, self.mysql = pipeline, histories, mysql
        self.cycles = 0
        self.read_to: dict[str, dict[int, int]] = {}

    def write(self, transactions: int, phase: int, wrong: bool = False) -> None:
        for history in self.histories:
            history.write(self.mysql, transactions, phase, wrong)
            if history.number % 3 == phase % 3:
                self.pipeline.commit()
                self.cycles += 1

    def compare(self) -> None:
        self.pipeline.drain()
        (cut_at,) = self.pipeline.servers.row("SELECT extract(epoch FROM cut_at)::bigint FROM settlement_ods.as_of")
        for history in self.histories:
            history.compare(cut_at)

    @contextlib.contextmanager
    def consuming(self, defect: str = "") -> Iterator[Background]:
        if defect:
            words = (sys.executable, "-m", "tests.system.histories.wrong_consumer")
            environment = {**self.pipeline.environment, "DEFECT": defect}
            started = Background(f"wrong-{len(self.pipeline.backgrounds)}", words, environment, self.pipeline.folder)
            self.pipeline.backgrounds.append(started)
        else:
            started = self.pipeline.beside("consume")
        yield started
        assert started.terminate() == 0, started.ends()

    def reset(self, those: Sequence[Drawn]) -> None:
        """One table of each is read once more from the beginning. Nothing consumes; Kafka may not know it yet."""
        for history in those:
            table = history.any_table()
            self.read_to[history.raw(table)] = self._positions(history.raw(table))
            words = ("--table", history.source_name(table), "--to", "beginning", "--while-owned")
            self.pipeline.does("offsets", "reset", *words, "--reason", "drawn", "--yes")
            history.reset(table)

    def _positions(self, raw: str) -> dict[int, int]:
        found = self.pipeline.servers.rows(
            f"SELECT kafka_partition, max(next_offset) FROM settlement_public.{raw}_positions GROUP BY kafka_partition"
        )
        return dict(found)

    def has_read_again(self) -> bool:
        """Whether all that was reset is loaded to where it was: the cut does not wait for it."""
        return all(
            self._positions(raw).get(partition, 0) >= offset
            for raw, ends in self.read_to.items()
            for partition, offset in ends.items()
        )

    def read_again(self, readers: Sequence[Drawn]) -> None:
        """One table of each; returns when the marts know that it was read to its end."""
        asked = [(history, history.any_table()) for history in readers]
        for history, table in asked:
            history.loses(self.mysql, table)
            name = history.source_name(table)
            self.pipeline.does("schema", "accept", name, "--read-again", "--reason", "a row was lost", "--yes")
        for history, table in asked:
            name = history.source_name(table)
            until(lambda name=name: self._knows_of_the_read(name), f"{name} read again", 90)  # type: ignore[misc]
            history.read_again(table)

    def _knows_of_the_read(self, table: str) -> bool:
        self.pipeline.commit()
        found = self.pipeline.servers.row("SELECT count(*) FROM settlement_ods.wipes WHERE table_name = %s", table)
        return bool(found[0])

    def phase(self, number: int) -> None:
        def at(when: str) -> list[Drawn]:
            return [history for history in self.histories if getattr(history, when) == number]

        if at("defect_in"):
            with self.consuming(f"defect {number}"):
                self.write(4, number, wrong=True)
                self.compare()
        self.reset(at("reset_in"))
        with self.consuming():
            until(self.has_read_again, "what was reset loaded once more", 90)
            self.compare()
            for history in at("redriven_in"):
                names = [word for table in history.rules for word in ("--table", history.source_name(table))]
                done = self.pipeline.does("deadletters", "redrive", "--all", *names, "--reason", "mended")
                # One whose table was reset since has its row, and is no letter any more.
                assert done["redriven"] == sum(letter.open for letter in history.letters), (done, history.letters)
                history.redriven()
            self.read_again(at("read_again_in"))
            self.compare()
            self.write(4, number)
            self.compare()


@pytest.fixture
def told(stack: Addresses, pipeline: PipelineOnStack) -> Iterator[Told]:
    with contextlib.ExitStack() as closing:
        at = stack.plain()["mysql"]
        mysql = closing.enter_context(
            pymysql.connect(host=at["host"], port=int(at["port"]), user=at["user"], password=at["password"])
        )
        warehouse = stack.warehouse.model_copy(update={"database": pipeline.servers.database})
        session = Session(warehouse, "histories")
        closing.callback(session.close)
        histories = []
        for number in range(HISTORIES):
            history = Drawn(number, SEED, f"{pipeline.orders}_{number}", session, PHASES)
            closing.callback(pipeline.servers.mysql, f"DROP DATABASE IF EXISTS {history.database}")
            history.create(mysql)
            histories.append(history)
        pipeline.seed(10)
        _declare(pipeline, histories)
        yield Told(pipeline, histories, mysql)


def _declare(pipeline: PipelineOnStack, histories: Sequence[Drawn]) -> None:
    """The histories' tables alone, beside the heartbeat."""
    path = pipeline.folder / "pipeline.yml"
    settings = yaml.safe_load(path.read_text())
    beats = [table for table in settings["tables"] if "mart" not in table]
    settings["tables"] = [entry for history in histories for entry in history.entries()] + beats
    settings["history"] = {"first_half_year": FIRST_HALF_YEAR, "readers": []}
    settings["consume"] = {"dead_letters_percent": 100}
    path.write_text(yaml.safe_dump(settings, sort_keys=False))


@pytest.mark.timeout(1500)
def test_marts_and_history_follow_from_the_statements_alone(told: Told) -> None:
    print(f"SEED={SEED}")
    told.pipeline.does("schema", "apply")
    told.pipeline.does("connect", "apply", seconds=150)
    with told.consuming():
        told.pipeline.first_snapshot()
    for number in range(PHASES):
        told.phase(number)
    seen = sum((history.kinds() for history in told.histories), Counter[str]())
    print(f"{len(told.histories)} histories: {dict(seen)}, {told.cycles} cycles among the statements")
    for history in told.histories:
        assert len(history.events) >= LEAST_EVENTS and history.compared >= LEAST_CYCLES, history.kinds()
        assert history.letters, "nothing was set aside"
    assert all(seen[kind] for kind in ("c", "u", "d", "r", "letter"))
